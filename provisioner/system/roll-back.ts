import { Fault } from "#core/fault.ts";
import { sourcesOf } from "./ended-trials.ts";
import type { Attempt } from "./journal-record.ts";
import { switchAndRead } from "./switch.ts";
import type { RolledBack, Trial, Verdict } from "./system.ts";
import { hasAttempt, type OpenAttempt } from "./transaction-state.ts";
import { type Change, dropRoots, generationOf, openTransaction, step } from "./work.ts";

const activationTries = 3;
const pauseMs = 2_000;

/**
 * Takes a trial back: the previous system is activated by its explicit path, /etc/nixos has never
 * been changed. A system that somebody activated by hand meanwhile is left alone. Asked again about
 * the same trial it gives the same answer.
 */
export async function rollBack(
  change: Change,
  trial: Trial,
  verdict: Verdict,
): Promise<RolledBack> {
  const open = openTransaction(change);
  if (hasAttempt(open) && open.txn === trial.transaction) {
    if (open.state === "committing") {
      throw new Fault("system/commit-begun", `the trial ${open.txn} is being committed`);
    }
    return rollBackOpen(change, { verdict, reasons: verdict.reasons });
  }
  const ended = change.journal.ledger.ended.findLast((t) => t.txn === trial.transaction);
  if (ended?.outcome !== "rolled-back") {
    throw new Fault("system/no-trial", `there is no open trial ${trial.transaction}`);
  }
  return answer(change, ended.attempt, ended.reasons);
}

/** Why a trial is taken back. */
export interface WhyBack {
  readonly verdict: Verdict | null;
  readonly reasons: readonly string[];
}

/** Takes the open trial back, or goes on doing so. Every part can be done again. */
export async function rollBackOpen(change: Change, why: WhyBack): Promise<RolledBack> {
  const open = openTransaction(change);
  if (!hasAttempt(open)) throw new Fault("system/no-trial", "there is no open trial to take back");
  const { txn, attempt } = open;
  const reasons = [...why.reasons];
  await step(change, { txn, name: "roll-back", intent: why }, async () => {
    if (open.bootId === change.machine.bootId) {
      reasons.push(...(await activatePrevious(change, open)));
    } else {
      reasons.push("the machine was restarted during the trial: the boot default runs");
    }
    reasons.push(...(await resetProfile(change, open)));
    if (open.bootId === change.machine.bootId && attempt.previous.toplevel !== null) {
      await disarm(change, txn);
    }
    dropRoots(change, txn);
    return { toplevel: attempt.previous.toplevel, reasons };
  });
  return answer(change, attempt, reasons);
}

/** Stops the timer of the way back, once what it may have begun has ended. */
export async function disarm(change: Change, txn: string): Promise<void> {
  if (!change.settings.systemd) return;
  await step(change, { txn, name: "disarm", intent: null }, async () => {
    await change.commands.disarmWayBack(txn);
    return null;
  });
}

async function activatePrevious(
  change: Change,
  { txn, attempt, touched }: OpenAttempt,
): Promise<readonly string[]> {
  if (!touched) return [];
  await change.commands.awaitSwitch(txn);
  const { toplevel } = attempt.previous;
  const running = change.machine.running();
  if (running !== null && running !== attempt.closure.toplevel && running !== toplevel) {
    return [`${running} was activated since, by hand; it is left alone`];
  }
  if (toplevel === null) {
    return ["there was no system before this one, so none could be activated again"];
  }
  for (let tries = 1; ; tries++) {
    const { end, message } = await step(
      change,
      { txn, name: "re-activate", intent: { toplevel } },
      () => switchAndRead(change, { txn, toplevel, action: "test", purpose: "back" }),
    );
    if (end === "switched") return [];
    if (end === "degraded") return [`the previous system runs again, but not well: ${message}`];
    if (tries === activationTries) {
      throw new Fault("system/roll-back-failed", `${toplevel}: ${message}`);
    }
    await change.io.clock.sleep(pauseMs);
  }
}

/** Undoes a profile that was set although the trial ended; one that someone else set is left alone. */
async function resetProfile(
  change: Change,
  { txn, attempt }: OpenAttempt,
): Promise<readonly string[]> {
  const now = change.machine.profile();
  const { toplevel, generation } = attempt.profile;
  if (now.toplevel !== attempt.closure.toplevel || now.toplevel === toplevel) return [];
  if (toplevel === null || generation === null) {
    return ["the boot default is the system that was tried: there was none before it"];
  }
  const intent = { generation, from: now.generation };
  await step(change, { txn, name: "reset-profile", intent }, async () => {
    await change.commands.switchGeneration(generation);
    await change.commands.syncStore();
    return null;
  });
  const { end, message } = await step(
    change,
    { txn, name: "re-activate", intent: { toplevel } },
    () => switchAndRead(change, { txn, toplevel, action: "boot", purpose: "boot" }),
  );
  return end === "switched" ? [] : [`the boot entry could not be set back: ${message}`];
}

function answer(change: Change, attempt: Attempt, reasons: readonly string[]): RolledBack {
  const toplevel = attempt.previous.toplevel === null ? null : change.machine.running();
  return {
    toplevel,
    generation: generationOf(change, toplevel),
    sourcesDigest: sourcesOf(change.journal.ledger.ended, toplevel),
    reasons,
  };
}
