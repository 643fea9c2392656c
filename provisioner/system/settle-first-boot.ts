import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Proof } from "./boot-proof.ts";
import { finishCommit } from "./commit.ts";
import { committedAs } from "./ended-trials.ts";
import { clearMarks, type FirstBootMarks, unmarkBegun } from "./first-boot.ts";
import { closureOf } from "./history.ts";
import type { Attempt } from "./journal-record.ts";
import { runningNow } from "./plan.ts";
import type { Committed, Recovery, TakenBack, Trial, Verdict } from "./system.ts";
import { addRoots, type Change, openTransaction, step } from "./work.ts";

/**
 * firstlight runs in the first boot of a system: nothing leads back from here by itself any more. Gives
 * back what could not be done, as sentences.
 */
export async function takeUpFirstBoot(
  change: Change,
  { proved }: FirstBootMarks,
): Promise<readonly string[]> {
  const left: string[] = [];
  try {
    await change.commands.forgetChoice(proved);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    left.push(`the next boot may still be of the system from before: ${error.message}`);
  }
  clearMarks(change);
  return left;
}

/**
 * After a first boot that firstlight never saw: the system from before was booted in its place, and becomes
 * the boot default again. `undefined` where that is not what happened: somebody chose otherwise since.
 */
export async function leaveFirstBoot(
  change: Change,
  marks: FirstBootMarks,
): Promise<(Pick<Recovery, "state" | "details"> & Partial<Recovery>) | undefined> {
  const { machine, journal } = change;
  const { proof } = journal.ledger;
  const isOurs =
    proof?.toplevel === marks.unproved && machine.profile().toplevel === marks.unproved;
  if (!isOurs || machine.booted() !== marks.proved || machine.running() !== marks.proved) {
    unmarkBegun(change);
    return undefined;
  }
  const why = `the first boot of generation ${proof.generation} did not come as far as firstlight`;
  if (proof.failures === 0) await markFailed(change, proof, why);
  const committed = await makeDefaultAgain(change, marks.proved, why);
  const reasons = [`${why}: generation ${committed.generation} was booted in its place`];
  return {
    state: "rolled-back",
    details: reasons,
    back: takenBack(change, proof, committed, reasons),
  };
}

/** Written down as a boot in which it was not well, so that nobody goes back to it unasked. */
async function markFailed(change: Change, proof: Proof, why: string): Promise<void> {
  const { transaction: txn, toplevel } = proof;
  await step(change, { txn, name: "prove", intent: { toplevel } }, async () => ({
    healthy: false,
    reasons: [why],
  }));
}

/** What runs becomes the boot default again, as by a trial of it that needs no activation. */
async function makeDefaultAgain(change: Change, back: string, why: string): Promise<Committed> {
  const { machine, settings } = change;
  const reason = { by: "rollback", why, instanceId: null } as const;
  const { closure, judging } = closureOf(change, back, reason);
  const { transaction: txn, toplevel, sourcesDigest } = closure;
  const attempt: Attempt = {
    closure,
    planDigest: sha256(canonicalJson({ toplevel, sourcesDigest })), // nobody made a plan
    previous: runningNow(change),
    profile: machine.profile(),
    once: null,
    wayBackMs: settings.wayBackMs,
    judging,
  };
  await step(change, { txn, name: "try", intent: attempt }, async () => {
    await addRoots(change, { txn, toplevel, previous: null });
    return trialOf(change, attempt);
  });
  const open = openTransaction(change);
  if (open.state !== "tried") throw new Fault("system/no-trial", `${txn}: expected an open trial`);
  const verdict: Verdict = { healthy: true, reasons: [why], passes: 0, ms: 0 };
  return finishCommit(change, open, verdict);
}

function trialOf({ machine }: Change, { closure, planDigest }: Attempt): Trial {
  const { transaction, toplevel, sourcesDigest } = closure;
  return {
    ...{ transaction, toplevel, previous: toplevel, sourcesDigest, planDigest },
    bootId: machine.bootId,
    activation: "switched",
    exitCode: null,
    message: null,
  };
}

/** The end of the system that was left, for whoever tells of it. */
function takenBack(
  { journal }: Change,
  { transaction, toplevel }: Proof,
  committed: Committed,
  reasons: readonly string[],
): TakenBack | null {
  const attempt = committedAs(journal.ledger.ended, toplevel)?.attempt;
  if (attempt === undefined) return null; // too long ago
  const { sourcesDigest, reason } = attempt.closure;
  const verdict: Verdict = { healthy: false, conclusive: false, reasons, passes: 0, ms: 0 };
  const rolledBack = { ...committed, reasons, restart: false };
  return { transaction, toplevel, sourcesDigest, judging: null, reason, verdict, rolledBack };
}
