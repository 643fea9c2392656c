import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { exitCodes } from "./activation.ts";
import { isTransaction } from "./command-lines.ts";
import { type Preview, parseDryActivate } from "./dry-activate.ts";
import { sourcesOf } from "./ended-trials.ts";
import { readJournal } from "./journal.ts";
import { planCommands } from "./plan-commands.ts";
import type { Closure, Plan } from "./system.ts";
import { plannedWay } from "./trial-way.ts";
import { checkInStore, generationOf, type Work } from "./work.ts";
import { listFiles, writtenText } from "./write-sources.ts";

/** What a reboot alone brings into effect, by the names of a system's links. */
const bootParts = ["kernel", "initrd", "kernel-params", "kernel-modules"] as const;

/** Says what a closure would change on this machine; changes nothing. */
export async function makePlan(work: Work, closure: Closure): Promise<Plan> {
  checkInStore(work, closure.toplevel);
  const from = runningNow(work);
  const preview = await previewUnits(work, closure.toplevel);
  const reboot = withInterface(needsReboot(work, closure.toplevel), preview);
  const way = await plannedWay(work, reboot);
  const plan: Omit<Plan, "digest"> = {
    closure,
    from,
    files: changedFiles(work, from.sourcesDigest, closure.sourcesDigest),
    units: preview.units,
    reboot,
    warnings: typeof way === "string" ? [...preview.warnings, way] : preview.warnings,
    commands: planCommands(work, closure, {
      previous: from.toplevel,
      way: typeof way === "string" ? undefined : way,
    }),
  };
  return { digest: digestPlan(plan), ...plan };
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
 * by whom it is planned (names of transactions, reasons and generation numbers are left out).
 */
export function digestPlan({ closure, from, commands, ...rest }: Omit<Plan, "digest">): string {
  const { toplevel, derivation, sourcesDigest, credentials, transaction } = closure;
  const content = {
    closure: { toplevel, derivation, sourcesDigest, credentials },
    from: { toplevel: from.toplevel, sourcesDigest: from.sourcesDigest },
    files: rest.files,
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

interface UnitPreview extends Preview {
  /** Whether only a reboot leads to the system's init interface. */
  readonly otherInterface: boolean;
}

async function previewUnits({ commands }: Work, toplevel: string): Promise<UnitPreview> {
  const { exitCode, output } = await commands.dryActivate(toplevel);
  const otherInterface = exitCode === exitCodes.rebootNeeded;
  const preview = { ...parseDryActivate(output), otherInterface };
  if (exitCode === 0 || otherInterface) return preview;
  const last = output.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  const warning = `the preview of units is incomplete (exit code ${exitCode}): ${last}`;
  return { ...preview, warnings: [...preview.warnings, warning] };
}

function changedFiles(work: Work, before: string | null, after: string | null): Plan["files"] {
  const { files } = work.io;
  const old = readTexts(files, work.paths.sources, before);
  const now = readTexts(files, work.paths.sources, after);
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort();
  return paths.flatMap((path): Plan["files"] => {
    if (!old.has(path)) return [{ path, change: "added" }];
    if (!now.has(path)) return [{ path, change: "removed" }];
    return old.get(path) === now.get(path) ? [] : [{ path, change: "changed" }];
  });
}

function readTexts(
  files: Files,
  sources: string,
  digest: string | null,
): ReadonlyMap<string, string | undefined> {
  if (digest === null) return new Map();
  const directory = `${sources}/${digest}`;
  return new Map(
    listFiles(files, directory).map((path) => [path, writtenText(files, `${directory}/${path}`)]),
  );
}

/** What the links of a system do not show. */
function withInterface(reboot: Plan["reboot"], { otherInterface }: UnitPreview): Plan["reboot"] {
  return otherInterface
    ? { needed: true, why: [...reboot.why, "its init interface is another"] }
    : reboot;
}

/** Whether a system differs from the booted one in what a reboot alone brings into effect. */
export function needsReboot({ machine }: Work, toplevel: string): Plan["reboot"] {
  const booted = machine.booted();
  if (booted === null) return { needed: false, why: [] };
  const differs = bootParts.filter((part) => {
    const now = machine.content(`${booted}/${part}`);
    const then = machine.content(`${toplevel}/${part}`);
    return now !== undefined && then !== undefined && now !== then; // a container has none of them
  });
  return {
    needed: differs.length > 0,
    why: differs.map((part) => `${part} is not the one this machine was booted with`),
  };
}
