import { describeFault, Fault } from "#core/fault.ts";
import { proofAfter } from "./boot-proof.ts";
import { dropTrial } from "./drop-trial.ts";
import {
  clearMarks,
  type FirstBootMarks,
  firstBootAt,
  followLoader,
  hasStrayMarks,
  markFirstBoot,
  nextMarked,
  readMarks,
  unmarkBegun,
} from "./first-boot.ts";
import type { Attempt } from "./journal-record.ts";
import { publishSources } from "./publish.ts";
import { disarm, isAboutEntry, rollBackOpen } from "./roll-back.ts";
import { switchAndRead } from "./switch.ts";
import type { Committed, Trial, Verdict } from "./system.ts";
import type { Committing, Tried } from "./transaction-state.ts";
import { type Change, dropRoots, generationOf, openTransaction, step } from "./work.ts";

/**
 * So often a boot entry, and then the sources, may fail to be written. Then a system without an entry is gone back
 * from, and the commit ends without the sources.
 */
const maxFailures = 3;

/**
 * Makes a trial that was judged healthy the boot default and lets /etc/nixos describe it. The timer
 * of the way back is stopped first; if it was faster, the trial is lost (`system/trial-lost`) and
 * what is left of it is taken back.
 * From the intent on the system stays. Asked again about the same trial it gives the same answer.
 */
export async function commit(change: Change, trial: Trial, verdict: Verdict): Promise<Committed> {
  const open = openTransaction(change);
  if (open.state === "committing" && open.txn === trial.transaction) {
    return finishCommit(change, open);
  }
  if (open.state !== "tried" || open.txn !== trial.transaction)
    return committedBefore(change, trial);
  check(open, verdict);
  await takeHold(change, open, verdict);
  return finishCommit(change, open, verdict);
}

function check({ trial, txn }: Tried, verdict: Verdict): void {
  if (!verdict.healthy) throw new Fault("system/not-healthy", `the trial ${txn} is not healthy`);
  checkSubject(trial, verdict);
  if (trial.activation === "refused") {
    throw new Fault("system/not-healthy", `the trial ${txn} does not run: ${trial.message}`);
  }
}

/** A verdict is bound to the change, the system and the boot that were judged. */
function checkSubject(trial: Trial, { subject }: Verdict): void {
  if (subject === undefined) return;
  const wrong = (["transaction", "toplevel", "bootId"] as const).find(
    (name) => subject[name] !== trial[name],
  );
  if (wrong === undefined) return;
  throw new Fault(
    "system/not-healthy",
    `the trial ${trial.transaction}: the verdict is about the ${wrong} ${subject[wrong]}`,
  );
}

/** Stops the way back of a trial that still runs; what cannot be held is taken back, and thrown. */
async function takeHold(change: Change, open: Tried, verdict: Verdict): Promise<void> {
  try {
    if (open.bootId === change.machine.bootId && open.attempt.previous.toplevel !== null) {
      await disarm(change, open.txn);
    }
    checkRuns(change, open);
  } catch (error) {
    const { message } = describeFault(error);
    const reasons = [`it was not committed: ${message}`];
    await rollBackOpen(change, { verdict, reasons, blamed: false });
    throw error;
  }
}

function checkRuns({ machine }: Change, { attempt, txn, bootId }: Tried): void {
  if (bootId !== machine.bootId) {
    throw new Fault("system/trial-lost", `the trial ${txn} ended with a restart of the machine`);
  }
  const running = machine.running();
  if (running === attempt.closure.toplevel) return;
  const found = running ?? "no system";
  throw new Fault("system/trial-lost", `the trial ${txn} does not run any more, but ${found}`);
}

function committedBefore({ journal }: Change, trial: Trial): Committed {
  const ended = journal.ledger.ended.findLast((t) => t.txn === trial.transaction);
  if (ended?.outcome !== "committed" || ended.generation === null) {
    throw new Fault("system/no-trial", `there is no open trial ${trial.transaction}`);
  }
  const { toplevel, sourcesDigest } = ended.attempt.closure;
  const { generation, incomplete = null } = ended;
  return { generation, toplevel, sourcesDigest, incomplete };
}

/**
 * Does what a commit consists of, or what is left of it. Throws `system/commit-failed` when the profile
 * could not be set, or its boot entry not be written in several tries: then the trial is rolled back, because a
 * restart would start what was the boot default before; `system/commit-incomplete` when the rest could not be
 * done yet.
 */
export async function finishCommit(
  change: Change,
  open: Tried | Committing,
  verdict: Verdict = (open as Committing).verdict,
): Promise<Committed> {
  const { txn, attempt } = open;
  const { toplevel, sourcesDigest } = attempt.closure;
  const failuresBefore = open.state === "committing" ? open.failures.length : 0;
  try {
    const done = await step(change, { txn, name: "commit", intent: { verdict } }, () =>
      makeDefault(change, open, failuresBefore),
    );
    return { toplevel, sourcesDigest, ...done };
  } catch (error) {
    const { message } = describeFault(error);
    // A first boot that was left stays left.
    const isGivenUp =
      failuresBefore + 1 >= maxFailures &&
      attempt.left === undefined &&
      !isKnownToLoader(change, txn);
    if (change.machine.profile().toplevel === toplevel && !isGivenUp) {
      throw new Fault("system/commit-incomplete", `${toplevel}: ${message}`, { cause: error });
    }
    const reasons = [`the commit failed: ${message}`];
    const back = await rollBackOpen(change, { verdict, reasons, blamed: false });
    // A way back that failed is tried again: what its first boot has begun stays written down. Nor is it sure
    // what the loader starts where its menu cannot be written: the marks are of whichever it is.
    if (attempt.left === undefined && !back.reasons.some(isAboutEntry)) restoreMarks(change);
    throw new Fault("system/commit-failed", `${toplevel}: ${message}`, { cause: error });
  }
}

async function makeDefault(
  change: Change,
  { txn, attempt, choice }: Tried | Committing,
  failuresBefore: number,
): Promise<{ readonly generation: number; readonly incomplete: string | null }> {
  const { commands, machine } = change;
  const { toplevel, sourcesDigest } = attempt.closure;
  const trial = { txn, attempt, ...(choice === undefined ? {} : { choice }) };
  const later = chosenLater(change, { attempt });
  if (later !== undefined) {
    await dropTrial(change, trial);
    dropRoots(change, txn);
    return { generation: later.generation, incomplete: later.message };
  }
  await leaveFirstBootOfOther(change, toplevel);
  // From before it can be booted by default: whoever starts it then knows that it is the first time.
  const proof = proofAfter(change.journal.ledger.proof, {
    ...{ txn, attempt, bootId: machine.bootId },
    generation: machine.profile().generation ?? 0,
  });
  markFirstBoot(change, proof, attempt.once?.loader ?? "default");
  await commands.syncStore();
  if (machine.profile().toplevel !== toplevel) {
    await step(change, { txn, name: "set-profile", intent: { toplevel } }, async () => {
      await commands.setProfile(toplevel);
      return null;
    });
  }
  await commands.syncStore();
  await dropTrial(change, trial); // before the menu is written anew, without it
  const undone: string[] = [];
  const orLater = async (what: string, before: number, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (before + 1 < maxFailures || !(error instanceof Fault)) throw error;
      undone.push(`${what}: ${error.message}`);
    }
  };
  const hasEntry = isKnownToLoader(change, txn);
  const other = otherMarks(change, toplevel);
  if (other !== undefined) await forget(change, other); // it is known by its entry in this menu
  const entry = async () => {
    if (!hasEntry) await bootEntry(change, txn, toplevel);
    followLoader(change, toplevel);
  };
  if (mayLackEntry(attempt))
    await orLater("it has no boot entry of its own", failuresBefore, entry);
  else await entry();
  await orLater(
    `${change.paths.etcNixos} does not describe it`,
    hasEntry || undone.length > 0 ? failuresBefore : 0,
    () => publish(change, txn, sourcesDigest),
  );
  const { generation } = machine.profile();
  if (generation === null) {
    throw new Fault("system/nix-failed", `${change.paths.profile}: expected a generation`);
  }
  if (otherMarks(change, toplevel) !== undefined || hasStrayMarks(change)) clearMarks(change);
  dropRoots(change, txn);
  return { generation, incomplete: undone.length === 0 ? null : undone.join("; ") };
}

/** Whether a process before this one wrote the boot entry of this commit. */
function isKnownToLoader(change: Change, txn: string): boolean {
  const open = openTransaction(change);
  return open.state === "committing" && open.txn === txn && open.hasEntry === true;
}

/** Nobody goes back to what is damaged, nor from what was the boot default before. */
function mayLackEntry({ closure, profile }: Attempt): boolean {
  return closure.reason.by === "repair" || profile.toplevel === closure.toplevel;
}

/**
 * A power cut in the middle of a commit may lead to the first boot of the system that was committed before. What
 * that has chosen for the next boot is forgotten then, or the machine would come back once more with what it is
 * gone back to, as if a person had chosen it. Its marks stay until the loader knows of this one.
 */
async function leaveFirstBootOfOther(change: Change, toplevel: string): Promise<void> {
  const found = firstBootAt(change);
  if (found?.now !== "is-it") return;
  const { proved, unproved } = found.marks;
  if (proved === toplevel || unproved === toplevel) return;
  await forget(change, found.marks);
  unmarkBegun(change);
}

/** Those of a system that was gone back from. */
function otherMarks(change: Change, toplevel: string): FirstBootMarks | undefined {
  const isMarked = ({ unproved }: FirstBootMarks) =>
    unproved === toplevel || nextMarked(change) === toplevel;
  const marks = readMarks(change, change.machine.booted());
  return marks === undefined || isMarked(marks) ? undefined : marks;
}

/** What the first boot of a system that was gone back from has chosen for the next one. */
async function forget(change: Change, { proved }: FirstBootMarks): Promise<void> {
  await change.commands.forgetChoice(proved).catch((error: unknown) => {
    if (!(error instanceof Fault)) throw error; // it is to be the boot default as well
  });
}

/** The marks as they were before a commit that came to nothing. */
function restoreMarks(change: Change): void {
  const { machine, journal } = change;
  const { proof, ended } = journal.ledger;
  clearMarks(change);
  if (proof === null || machine.profile().toplevel !== proof.toplevel) return;
  const by = ended.findLast(({ txn }) => txn === proof.transaction)?.attempt.once?.loader;
  markFirstBoot(change, proof, proof.bootId === machine.bootId ? (by ?? "default") : "default");
}

/**
 * The boot default that somebody else chose after this commit had set its own: theirs is the newer
 * wish. A power cut may take the profile back to what it was, which is nobody's.
 */
function chosenLater(
  change: Change,
  { attempt }: Pick<Tried, "attempt">,
): { readonly generation: number; readonly message: string } | undefined {
  const now = change.machine.profile().toplevel;
  if (now === null || now === attempt.closure.toplevel || now === attempt.profile.toplevel) {
    return undefined;
  }
  const open = openTransaction(change);
  const wasSet = open.state === "committing" && open.profileSet;
  const generation = generationOf(change, attempt.closure.toplevel);
  return wasSet && generation !== null
    ? { generation, message: `${now} was made the boot default since, by hand; it is left alone` }
    : undefined;
}

async function bootEntry(change: Change, txn: string, toplevel: string): Promise<void> {
  await step(change, { txn, name: "boot-entry", intent: { toplevel } }, async () => {
    const end = await switchAndRead(change, { txn, toplevel, action: "boot", purpose: "boot" });
    if (end.exitCode !== 0)
      throw new Fault("system/commit-incomplete", end.message ?? "boot entry");
    return null;
  });
}

async function publish(change: Change, txn: string, sourcesDigest: string | null): Promise<void> {
  await step(change, { txn, name: "publish", intent: { sourcesDigest } }, async () => ({
    kept: publishSources(change.io.files, change.paths, sourcesDigest),
  }));
}
