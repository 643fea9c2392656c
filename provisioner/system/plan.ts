import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import { exitCodes } from "./activation.ts";
import { buildObstacle } from "./build-obstacle.ts";
import { isTransaction } from "./command-lines.ts";
import { compareOptions, compareSystems, optionsOf } from "./compare-systems.ts";
import { type Preview, parseDryActivate } from "./dry-activate.ts";
import { sourcesOf } from "./ended-trials.ts";
import { evaluatedAsRoot } from "./evaluate-apart.ts";
import type { FetchPreview } from "./fetch/preview-fetch.ts";
import { whyNoBack } from "./first-boot-back.ts";
import { readJournal } from "./journal.ts";
import { planCommands } from "./plan-commands.ts";
import { changedFiles, sourceTexts, writtenTexts } from "./plan-files.ts";
import { readOptions } from "./plan-options.ts";
import { previewSpace, readSpace } from "./plan-space.ts";
import type { PlanWarning } from "./plan-warnings.ts";
import { askSwitch, type SwitchWord, withInhibitors } from "./pre-switch.ts";
import type { Closure, Plan, SourcesPreview } from "./system.ts";
import { plannedWay, type TrialWay } from "./trial-way.ts";
import { checkInStore, generationOf, type Work } from "./work.ts";

/** What a reboot alone brings into effect, by the names of a system's links. */
const bootParts = ["kernel", "initrd", "kernel-params", "kernel-modules"] as const;

/** Says what a closure would change on this machine; changes nothing. */
export async function makePlan(work: Work, closure: Closure): Promise<Plan> {
  checkInStore(work, closure.toplevel);
  const from = runningNow(work);
  // The store answers while the system looks at the machine.
  const looks = [
    lookAtSwitch(work, closure.toplevel),
    compareSystems(work, from, closure),
  ] as const;
  await Promise.allSettled(looks); // none is at work any more where one has failed
  const [{ preview, reboot, way, checks }, { options, unfree, difference, warnings }] =
    await Promise.all(looks);
  const plan: Omit<Plan, "digest"> = {
    closure,
    from,
    files: changedFiles(
      writtenTexts(work, from.sourcesDigest),
      writtenTexts(work, closure.sourcesDigest),
    ),
    options,
    unfree,
    difference,
    units: preview.units,
    reboot,
    space: readSpace(work, closure.toplevel),
    warnings: [
      ...evaluationWarnings(closure),
      ...warnings,
      ...preview.warnings.map((message): PlanWarning => ({ kind: "units", message })),
      ...(typeof way === "string" ? [{ kind: "reboot", message: way } as const] : []),
      ...checks,
    ],
    commands: planCommands(work, closure, {
      previous: from.toplevel,
      way: typeof way === "string" ? undefined : way,
    }),
  };
  return { digest: digestPlan(plan), ...plan };
}

/** What sources would change, before they are built or fetched: nothing is written. */
export async function previewSources(
  work: Work,
  sources: Sources,
  signed: string | null,
): Promise<SourcesPreview> {
  const from = runningNow(work);
  const fetch = signed === null ? null : await fetched(work, sources, signed);
  const texts = new Map(sources.files.map((file) => [file.path, file.content]));
  const now = readOptions((path) => texts.get(path));
  return {
    from,
    sourcesDigest: sources.digest,
    files: changedFiles(writtenTexts(work, from.sourcesDigest), sourceTexts(sources)),
    options: compareOptions(optionsOf(work, from), now),
    unfree: now?.unfree ?? null,
    fetch,
    notBuilt: buildObstacle(work),
    space: previewSpace(work, fetch),
  };
}

/** Loaded with the first manifest: most machines build. */
async function fetched(work: Work, { digest }: Sources, signed: string): Promise<FetchPreview> {
  const { previewFetch } = await import("./fetch/preview-fetch.ts");
  return previewFetch(work, signed, digest);
}

/** What runs now, and what it was made from where the journal knows. */
export function runningNow(work: Work): Plan["from"] {
  const toplevel = work.machine.running();
  const { ended } = readJournal(work.io.files, work.paths.journal).ledger;
  return {
    toplevel,
    generation: generationOf(work, toplevel),
    sourcesDigest: sourcesOf(ended, toplevel),
  };
}

/**
 * What can be approved: SHA-256 over what would change, the same for the same change whenever and
 * by whom it is planned, and however the system was had (names of transactions, reasons, generation
 * numbers, derivations, which a fetched system does not say, and the room on disks are left out).
 */
export function digestPlan({ closure, from, commands, ...rest }: Omit<Plan, "digest">): string {
  const { toplevel, sourcesDigest, credentials, transaction } = closure;
  const content = {
    closure: { toplevel, sourcesDigest, credentials },
    from: { toplevel: from.toplevel, sourcesDigest: from.sourcesDigest },
    files: rest.files,
    options: rest.options,
    unfree: rest.unfree,
    difference: rest.difference,
    units: rest.units,
    reboot: rest.reboot,
    warnings: rest.warnings,
    commands: commands.map((argv) => argv.map((word) => word.replaceAll(transaction, "…"))),
  };
  return sha256(canonicalJson(content));
}

/** Throws unless a plan is what its digest says and starts from what runs now. */
export function checkPlan(work: Work, plan: Plan): void {
  const { digest, ...content } = plan;
  if (digestPlan(content) !== digest) {
    throw new Fault("system/plan-invalid", `expected the plan ${digest}, got another content`);
  }
  if (!isTransaction(plan.closure.transaction)) {
    throw new Fault("system/plan-invalid", "the plan's transaction has no name of a transaction");
  }
  const running = work.machine.running();
  if (running !== plan.from.toplevel) {
    const expected = plan.from.toplevel ?? "no system";
    throw new Fault("system/plan-stale", `expected ${expected} to run, found ${running ?? "none"}`);
  }
}

function evaluationWarnings({ evaluatedBy }: Closure): readonly PlanWarning[] {
  const { code, message } = evaluatedAsRoot;
  return evaluatedBy === "root" ? [{ kind: "evaluation", message: `${message} [${code}]` }] : [];
}

/** What a system says to a switch, what one would do, and how it is tried. */
interface SwitchLook {
  readonly preview: Preview;
  readonly reboot: Plan["reboot"];
  /** Where there is no way, why. */
  readonly way: TrialWay | string;
  readonly checks: readonly PlanWarning[];
}

/** One question after the other: each takes NixOS's lock. */
async function lookAtSwitch(work: Work, toplevel: string): Promise<SwitchLook> {
  const word = await askSwitch(work, toplevel);
  const reboot = withInhibitors(needsReboot(work, toplevel), word);
  const looks = [previewUnits(work, toplevel), plannedWay(work, reboot)] as const;
  await Promise.allSettled(looks);
  const [preview, way] = await Promise.all(looks);
  const checks = [...checkWarnings(word), ...(await firstBootWarnings(work, way, toplevel))];
  return { preview, reboot, way, checks };
}

/** A system that is tried by a restart has had its first boot. */
async function firstBootWarnings(
  work: Work,
  way: TrialWay | string,
  toplevel: string,
): Promise<readonly PlanWarning[]> {
  const { settings, machine, commands, io, paths } = work;
  const { toplevel: bootDefault } = machine.profile();
  if (typeof way === "string" || way.by === "restart") return [];
  if (!settings.systemd || bootDefault === null) return [];
  const unable = await commands.whyNotOnce(bootDefault);
  if (unable !== null) {
    const message = `its first boot has no way back before firstlight runs in it: ${unable}`;
    return [{ kind: "first-boot", message }];
  }
  const none = whyNoBack(work, toplevel, readJournal(io.files, paths.journal).ledger);
  return none === null
    ? []
    : [{ kind: "first-boot", message: `its first boot has no way back: ${none}` }];
}

/** By their names alone: what they say may be another word each time. */
function checkWarnings({ refusal, unasked }: SwitchWord): readonly PlanWarning[] {
  const checks = "its own checks before a switch";
  const message =
    refusal === null
      ? unasked && `${checks} could not be asked now: ${unasked}`
      : `${checks} refuse it now: ${refusal.checks.join(", ")}`;
  return message === null ? [] : [{ kind: "check", message }];
}

async function previewUnits({ commands }: Work, toplevel: string): Promise<Preview> {
  const { exitCode, output } = await commands.dryActivate(toplevel);
  const preview = parseDryActivate(output);
  // Another init interface: there is nothing to preview, and it is among the reasons to reboot.
  if (exitCode === 0 || exitCode === exitCodes.rebootNeeded) return preview;
  const last = output.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  const warning = `the preview of units is incomplete (exit code ${exitCode}): ${last}`;
  return { ...preview, warnings: [...preview.warnings, warning] };
}

/** Whether a system differs from what runs in what a reboot alone brings into effect. */
export function needsReboot(work: Work, toplevel: string): Plan["reboot"] {
  const why = [...otherBootParts(work, toplevel), ...otherInit(work, toplevel)];
  return { needed: why.length > 0, why };
}

function otherBootParts({ machine }: Work, toplevel: string): readonly string[] {
  const booted = machine.booted();
  if (booted === null) return [];
  const differs = bootParts.filter((part) => {
    const now = machine.content(`${booted}/${part}`);
    const then = machine.content(`${toplevel}/${part}`);
    return now !== undefined && then !== undefined && now !== then; // a container has none of them
  });
  return differs.map((part) => `${part} is not the one this machine was booted with`);
}

/** What makes switch-to-configuration refuse with exit code 100. */
function otherInit({ machine }: Work, toplevel: string): readonly string[] {
  const running = machine.running();
  const init = (system: string) => machine.content(`${system}/init-interface-version`);
  const [now, then] = [running === null ? undefined : init(running), init(toplevel)];
  if (now === undefined || then === undefined || now === then) return [];
  return [`its init interface is ${then.trim()}, the running system's ${now.trim()}`];
}
