import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { isTransaction, shownArgv } from "./command-lines.ts";
import { type Preview, parseDryActivate } from "./dry-activate.ts";
import { sourcesOf } from "./ended-trials.ts";
import { readJournal } from "./journal.ts";
import type { Closure, Plan } from "./system.ts";
import { checkInStore, generationOf, type Work } from "./work.ts";
import { listFiles, writtenText } from "./write-sources.ts";

/** What a reboot alone brings into effect, by the names of a system's links. */
const bootParts = ["kernel", "initrd", "kernel-params", "kernel-modules"] as const;

/** Says what a closure would change on this machine; changes nothing. */
export async function makePlan(work: Work, closure: Closure): Promise<Plan> {
  checkInStore(work, closure.toplevel);
  const from = runningNow(work);
  const preview = await previewUnits(work, closure.toplevel);
  const plan: Omit<Plan, "digest"> = {
    closure,
    from,
    files: changedFiles(work, from.sourcesDigest, closure.sourcesDigest),
    units: preview.units,
    reboot: needsReboot(work, closure.toplevel),
    warnings: preview.warnings,
    commands: planCommands(work, closure, from.toplevel),
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

async function previewUnits({ commands }: Work, toplevel: string): Promise<Preview> {
  const { exitCode, output } = await commands.dryActivate(toplevel);
  const preview = parseDryActivate(output);
  if (exitCode === 0) return preview;
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

function needsReboot({ machine }: Work, toplevel: string): Plan["reboot"] {
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

function planCommands(
  { lines }: Work,
  { transaction: txn, toplevel }: Closure,
  previous: string | null,
): Plan["commands"] {
  const commands = [
    lines.addRoot({ txn, toplevel, role: "system" }),
    previous === null ? undefined : lines.addRoot({ txn, toplevel: previous, role: "previous" }),
    previous === null ? undefined : lines.armWayBack(txn, previous),
    lines.syncStore(),
    lines.switchTo({ txn, toplevel, action: "test", purpose: "switch" }),
    previous === null ? undefined : lines.disarmWayBack(txn),
    lines.syncStore(),
    lines.setProfile(toplevel),
    lines.syncStore(),
    lines.switchTo({ txn, toplevel, action: "boot", purpose: "boot" }),
  ];
  return commands.flatMap((line) => (line === undefined ? [] : [shownArgv(line)]));
}
