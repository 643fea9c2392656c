import { type DriftRound, driftRound } from "#agent/drift-round.ts";
import { driftSettings } from "#agent/drift-settings.ts";
import { exitCodes } from "#agent/outcome.ts";
import { readSettings } from "#agent/settings.ts";
import { prettyJson } from "#core/canonical-json.ts";
import type { Declared, DriftItem, Remedy } from "#provisioner/system/drift/report.ts";
import type { Command } from "../command.ts";
import { nodeProbe, openSystem, systemOptions } from "../node.ts";
import { bootOutbox } from "../outbox.ts";
import { endWith } from "../restart.ts";
import { inSandbox, sandboxHelp, sandboxOption } from "../sandbox.ts";
import { version } from "../version.ts";

/** `firstlight drift` */
export const command: Command = {
  usage:
    "drift [--deep] [--repair] [--scheduled] [--sandboxed] [--root DIR] [--driver nix|dry] [--json]",
  summary: "Hold the machine against what was committed: sources, result, what runs, the store.",
  help: [
    "Each look reads a part of the store, the next one the next part; --deep reads all of it and",
    "evaluates the sources again. --repair mends store paths from a cache, else by building them again,",
    "else by going back to a generation that is whole, through the same trial as any change; links are",
    "written again, what was there is kept. --scheduled is what the timer does: as the settings say.",
    "What a person chose (a boot menu, a nixos-rebuild switch) is told and left alone.",
    sandboxHelp,
  ].join("\n"),
  options: {
    ...systemOptions,
    ...sandboxOption,
    deep: { type: "boolean" },
    repair: { type: "boolean" },
    scheduled: { type: "boolean" },
  },
  arity: [0, 0],
  async run(asked) {
    const invocation = inSandbox(asked);
    const { io, log, flags, json, out, signal } = invocation;
    const settings = await readSettings(io.files);
    const { check, repair, share } = driftSettings(settings);
    const scheduled = flags["scheduled"] === true;
    if (scheduled && !check) return exitCodes.done;
    const system = await openSystem(invocation);
    const outbox = bootOutbox(invocation, system);
    const { report } = outbox;
    const probe = nodeProbe(invocation);
    const round = await driftRound(
      { io, log, system, probe, signal, report, version },
      {
        deep: flags["deep"] === true,
        repair: flags["repair"] === true || (scheduled && repair),
        share,
      },
    );
    await outbox.flush();
    out.data(json ? prettyJson({ v: 1, ...round }) : describe(round));
    if (round.outcome?.restart === true) await endWith(round.outcome, invocation, system);
    return exitCode(round);
  },
};

function exitCode({ report, outcome }: DriftRound): number {
  if (outcome?.outcome === "committed") return exitCodes.rolledBack;
  const bad = outcome !== null || report.items.some(({ level }) => level !== "note");
  return bad ? exitCodes.degraded : exitCodes.done;
}

/** The same round for a person. */
function describe({ report, repaired, unrepaired, outcome }: DriftRound): string {
  const { declared, items, store, unseen } = report;
  return [
    declared === null ? "nothing was committed yet" : describeDeclared(declared),
    ...items.flatMap(describeItem),
    items.length === 0 ? "no drift was found" : `${items.length} found`,
    ...repaired.map(({ subject, by }) => `repaired ${subject} (${by})`),
    ...unrepaired.map((path) => `could not repair ${path}`),
    ...(outcome === null ? [] : [`went back: ${outcome.outcome}: ${outcome.message}`]),
    ...unseen.map((what) => `not looked at: ${what}`),
    ...(store === null
      ? []
      : [`store: read ${store.paths} of ${store.ofPaths} paths since ${store.startedAt}`]),
  ].join("\n");
}

function describeDeclared({ generation, toplevel, at, by }: Declared): string {
  return `declared: generation ${generation ?? "?"}, ${toplevel}, ${at}, ${by}`;
}

const remedies: Readonly<Record<Remedy, string>> = {
  repair: "firstlight drift --repair",
  apply: "firstlight apply",
  reboot: "reboot",
  person: "left alone",
};

function describeItem(item: DriftItem): readonly string[] {
  const since = [item.since ?? "unknown", ...(item.by === null ? [] : [item.by])].join(", ");
  return [
    `${item.level}: ${item.layer}: ${item.kind}: ${item.subject}`,
    `  declared: ${item.declared}`,
    `  actual:   ${item.actual}`,
    `  since:    ${since}`,
    `  remedy:   ${remedies[item.remedy]}`,
  ];
}
