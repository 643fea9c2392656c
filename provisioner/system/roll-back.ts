import { Fault, isFault } from "#core/fault.ts";
import { exitCodes } from "./activation.ts";
import { sourcesOf } from "./ended-trials.ts";
import type { Attempt } from "./journal-record.ts";
import { askRestart, clearBoot, isBootedTrial } from "./leave-boot.ts";
import { switchAndRead } from "./switch.ts";
import type { RolledBack, Trial, Verdict } from "./system.ts";
import { hasAttempt, type OpenAttempt } from "./transaction-state.ts";
import { type Change, dropRoots, generationOf, openTransaction, step } from "./work.ts";

const activationTries = 3;
const pauseMs = 2_000;

/**
 * Takes a trial back: the previous system is activated by its explicit path, or the machine is to be
 * restarted into it; /etc/nixos has never been changed. A system that somebody activated by hand
 * meanwhile is left alone. Asked again about the same trial it gives the same answer.
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
    const blamed = isBlamed(trial, verdict);
    return rollBackOpen(change, { verdict, reasons: verdict.reasons, blamed });
  }
  const ended = change.journal.ledger.ended.findLast((t) => t.txn === trial.transaction);
  if (ended?.outcome !== "rolled-back") {
    throw new Fault("system/no-trial", `there is no open trial ${trial.transaction}`);
  }
  return answerBack(change, { attempt: ended.attempt, reasons: ended.reasons, restart: false });
}

/** Another switch that was under way is nothing that the release could be blamed for. */
function isBlamed({ exitCode }: Trial, { healthy, conclusive }: Verdict): boolean {
  return !healthy && conclusive !== false && exitCode !== exitCodes.locked;
}

/** Why a trial is taken back. */
export interface WhyBack {
  readonly verdict: Verdict | null;
  readonly reasons: readonly string[];
  /** Whether the release is to blame. */
  readonly blamed: boolean;
}

/**
 * Takes the open trial back, or goes on doing so. Every part can be done again. With `restart` the
 * machine is to be restarted, and the rest is done by the next start after that.
 */
export async function rollBackOpen(change: Change, why: WhyBack): Promise<RolledBack> {
  const open = openTransaction(change);
  if (!hasAttempt(open)) throw new Fault("system/no-trial", "there is no open trial to take back");
  const { txn, attempt } = open;
  const reasons = [...why.reasons];
  try {
    await step(change, { txn, name: "roll-back", intent: why }, async () => {
      await change.commands.awaitSwitch(txn); // whoever began one may be dead
      reasons.push(...(await clearBoot(change, open)));
      reasons.push(...(await leave(change, open)));
      if (open.bootId === change.machine.bootId && attempt.previous.toplevel !== null) {
        await disarm(change, txn);
      }
      dropRoots(change, txn);
      return { toplevel: attempt.previous.toplevel, reasons };
    });
  } catch (error) {
    if (!isFault(error, "system/restart-needed")) throw error;
    return answerBack(change, { attempt, reasons: [...reasons, error.message], restart: true });
  }
  return answerBack(change, { attempt, reasons, restart: false });
}

/** Lets the previous system run and be the boot default again. */
async function leave(change: Change, open: OpenAttempt): Promise<readonly string[]> {
  const reasons: string[] = [];
  const isBooted = isBootedTrial(change, open);
  if (!isBooted && open.bootId !== change.machine.bootId) {
    reasons.push("the machine was restarted during the trial: the boot default runs");
  }
  // What was booted is left by a restart, so the boot default must be right before.
  if (isBooted) {
    reasons.push(...(await resetProfile(change, open)));
    askRestart(change, "the machine was booted with the system on trial: it takes a restart");
  }
  if (isBooted || open.bootId === change.machine.bootId) {
    const touched = open.touched || isBooted;
    reasons.push(...(await activatePrevious(change, { ...open, touched })));
  }
  reasons.push(...(await resetProfile(change, open)));
  return reasons;
}

/** Stops the timer of the way back, once what it may have begun has ended. */
export async function disarm(change: Change, txn: string): Promise<void> {
  if (!change.settings.systemd) return;
  await step(change, { txn, name: "disarm", intent: null }, async () => {
    await change.commands.disarmWayBack(txn);
    return null;
  });
}

async function activatePrevious(change: Change, open: OpenAttempt): Promise<readonly string[]> {
  const { txn, attempt, touched } = open;
  if (!touched) return [];
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
      await resetProfile(change, open); // of a commit that was given up: a restart must lead back
      const isDefault = change.machine.profile().toplevel === toplevel;
      const mayRestart = change.settings.reboot === "allow" || change.settings.reboot === "kexec";
      if (isDefault && mayRestart) askRestart(change, `${toplevel}: ${message}`);
      throw new Fault("system/roll-back-failed", `${toplevel}: ${message}`);
    }
    await change.io.clock.sleep(pauseMs);
  }
}

/** Undoes a profile that was set although the trial ended; one that someone else set is left alone. */
async function resetProfile(change: Change, open: OpenAttempt): Promise<readonly string[]> {
  const { txn, attempt } = open;
  const now = change.machine.profile();
  const { toplevel, generation } = attempt.profile;
  const isTried = now.toplevel === attempt.closure.toplevel && now.toplevel !== toplevel;
  // Who began it may have been killed before the loader knew of it.
  const isBegun = open.state === "rolling-back" && open.left !== null && now.toplevel === toplevel;
  if (!isTried && !isBegun) return [];
  if (toplevel === null || generation === null) {
    return ["the boot default is the system that was tried: there was none before it"];
  }
  if (isTried) {
    const intent = { generation, from: now.generation };
    await step(change, { txn, name: "reset-profile", intent }, async () => {
      await change.commands.switchGeneration(generation);
      await change.commands.syncStore();
      return null;
    });
  }
  const { end, message } = await step(
    change,
    { txn, name: "re-activate", intent: { toplevel } },
    () => switchAndRead(change, { txn, toplevel, action: "boot", purpose: "boot" }),
  );
  return end === "switched" ? [] : [`${entryNotSetBack}: ${message}`];
}

const entryNotSetBack = "the boot entry could not be set back";

/** Whether a reason of a way back says that the loader may still start what was gone back from. */
export function isAboutEntry(reason: string): boolean {
  return reason.startsWith(entryNotSetBack);
}

/** What is said of a trial that is back, or that a restart leads back from. */
export function answerBack(
  change: Change,
  {
    attempt,
    reasons,
    restart,
  }: {
    readonly attempt: Attempt;
    readonly reasons: readonly string[];
    readonly restart: boolean;
  },
): RolledBack {
  const toplevel = attempt.previous.toplevel === null ? null : change.machine.running();
  return {
    toplevel,
    generation: generationOf(change, toplevel),
    sourcesDigest: sourcesOf(change.journal.ledger.ended, toplevel),
    reasons,
    restart,
  };
}
