import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Proof } from "./boot-proof.ts";
import { finishCommit } from "./commit.ts";
import { committedAs } from "./ended-trials.ts";
import {
  clearMarks,
  endFirstBoot,
  type FirstBootMarks,
  firstBootAt,
  unmarkBegun,
} from "./first-boot.ts";
import { closureOf } from "./history.ts";
import type { Attempt } from "./journal-record.ts";
import { runningNow } from "./plan.ts";
import type { Committed, Recovery, TakenBack, Trial, Verdict } from "./system.ts";
import { addRoots, type Change, openTransaction, step } from "./work.ts";

/**
 * The first boot of a system has come as far as it is to come: after `work`, its verdict for instance, nothing
 * leads back from here by itself. Elsewhere only `work` is done. Gives back what could not be done, as
 * sentences.
 */
export async function takeUpFirstBoot(
  change: Change,
  work: () => Promise<unknown> = async () => {},
): Promise<readonly string[]> {
  const found = firstBootAt(change);
  if (found?.now !== "is-it") {
    await work();
    return [];
  }
  const forget = () => change.commands.forgetChoice(found.marks.proved);
  const failure = await endFirstBoot(change, forget, work);
  if (failure === null) return [];
  return [`the next boot may still be of the system from before: ${failure.message}`];
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
  const profile = machine.profile();
  // A journal that could not be believed may know nothing of the system any more, or of an older one.
  const known = journal.ledger.proof;
  const proof = known?.toplevel === marks.unproved ? known : null;
  if (proof?.proved === true) {
    clearMarks(change);
    return undefined;
  }
  const isHere = machine.booted() === marks.proved && machine.running() === marks.proved;
  if (profile.toplevel !== marks.unproved || !isHere) {
    unmarkBegun(change);
    return undefined;
  }
  const generation = proof?.generation ?? profile.generation;
  const why = `the first boot of generation ${generation} did not come as far as to be judged`;
  if (proof?.failures === 0) await markFailed(change, proof, why);
  const committed = await makeDefaultAgain(change, marks, why);
  const reasons = [`${why}: generation ${committed.generation} was booted in its place`];
  return {
    state: "rolled-back",
    details: reasons,
    back: takenBack(change, marks, { committed, reasons }),
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
async function makeDefaultAgain(
  change: Change,
  { proved: back, unproved: left }: FirstBootMarks,
  why: string,
): Promise<Committed> {
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
    left,
  };
  await step(change, { txn, name: "try", intent: attempt }, async () => {
    await addRoots(change, { txn, toplevel, previous: null });
    return trialOf(change, attempt);
  });
  const open = openTransaction(change);
  if (open.state !== "tried") throw new Fault("system/no-trial", `${txn}: expected an open trial`);
  // Nobody has judged it anew: it was good, and is gone back to for that.
  const verdict: Verdict = { healthy: true, conclusive: false, reasons: [why], passes: 0, ms: 0 };
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
  { unproved: toplevel }: FirstBootMarks,
  { committed, reasons }: { readonly committed: Committed; readonly reasons: readonly string[] },
): TakenBack | null {
  const { ended } = journal.ledger;
  const known = committedAs(ended, toplevel);
  // Where no journal knows it, the way back is all that there is to tell.
  const told = known ?? committedAs(ended, committed.toplevel);
  if (told === undefined) return null;
  const verdict: Verdict = { healthy: false, conclusive: false, reasons, passes: 0, ms: 0 };
  return {
    transaction: told.txn,
    toplevel,
    sourcesDigest: known?.attempt.closure.sourcesDigest ?? null,
    judging: null,
    reason: told.attempt.closure.reason,
    verdict,
    rolledBack: { ...committed, reasons, restart: false },
  };
}
