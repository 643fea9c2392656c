import { exitCodes } from "#agent/outcome.ts";
import { retentionLimits } from "#agent/retention-settings.ts";
import { readSettings } from "#agent/settings.ts";
import { formatBytes } from "#core/bytes.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { counted } from "#core/count.ts";
import type { Collected } from "#provisioner/system/collect.ts";
import type { Command } from "../command.ts";
import { openSystem, systemOptions } from "../node.ts";
import { inSandbox, sandboxHelp, sandboxOption } from "../sandbox.ts";

/** `firstlight collect` */
export const command: Command = {
  usage: "collect [--dry-run] [--sandboxed] [--root DIR] [--driver nix|dry] [--json]",
  summary: "Delete generations that need not stay, and what only they needed.",
  help:
    "What runs, was booted, is the boot default, the previous good one, the way back of a first boot or pinned\nalways stays; how many others do is said by `generations` in the settings. Secrets that no generation names are\nshredded. Exit code: 2 when something could not be done, 75 while a trial is under way; the next run tries again.\n" +
    sandboxHelp,
  options: { ...systemOptions, ...sandboxOption, "dry-run": { type: "boolean" } },
  arity: [0, 0],
  async run(asked) {
    const invocation = inSandbox(asked);
    const { io, flags, json, out } = invocation;
    const dryRun = flags["dry-run"] === true;
    const system = await openSystem(invocation);
    if (!dryRun) {
      // The boot goes on with a trial; what looks after old generations does not take it back.
      const { trial } = await system.recover({ judges: true });
      if (trial !== null) {
        out.talk("a trial is under way, so nothing is deleted now; the next run does it");
        return exitCodes.tryAgain;
      }
    }
    const limits = retentionLimits(await readSettings(io.files));
    const collected = await system.collect(limits, dryRun);
    out.data(json ? prettyJson({ v: 1, ...collected }) : collectedText(collected).join("\n"));
    return collected.incomplete.length === 0 ? exitCodes.done : exitCodes.degraded;
  },
};

/** The same for a person. */
function collectedText({ dryRun, generations, removed, freeBytes, incomplete }: Collected) {
  const would = dryRun ? "would go" : "went";
  const gone = generations.filter(({ stays }) => !stays).length;
  const { sources, credentials, stamps } = removed;
  const sum = [
    ...(gone === 0 ? [] : [counted(gone, "generation")]),
    ...(sources.length === 0 ? [] : [`the sources of ${counted(sources.length, "system")}`]),
    ...(credentials.length === 0 ? [] : [counted(credentials.length, "secret")]),
    ...(stamps.length === 0 ? [] : [`the stamps of ${counted(stamps.length, "instance")}`]),
  ];
  return [
    ...generations.map(
      ({ generation, stays, why }) =>
        `${String(generation).padStart(4)}  ${stays ? "stays" : dryRun ? "goes" : "gone"}  ${why.join(", ")}`,
    ),
    sum.length === 0 ? `nothing ${would}` : `${sum.join(", ")} ${would}`,
    `${formatBytes(freeBytes.after)} are free in the store${dryRun ? "" : `, ${formatBytes(freeBytes.before)} before`}`,
    ...incomplete.map((what) => `not done: ${what}`),
  ];
}
