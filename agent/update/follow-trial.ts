import { Fault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { Trial, TrialRecord, Verdict } from "#provisioner/system/system.ts";
import { dropStaged, keepCommitted, readStaged } from "./kept-release.ts";
import { leavingOf } from "./leaving.ts";
import { settleKept } from "./settle-kept.ts";
import type { Tracker } from "./tracker.ts";
import { isOver, isUntouched } from "./transitions.ts";
import type { Update, UpdateEvent } from "./update-state.ts";
import { readWish } from "./wishes.ts";

/** What follows a trial. */
export interface Following {
  readonly io: Io;
  readonly tracker: Tracker;
}

/** Whether something of the machine was begun to be changed for an update that is not over. */
export function isTouched({ state }: Pick<Update, "state">): boolean {
  return !isUntouched(state) && (!isOver(state) || state === "ROLLBACK_FAILED");
}

/**
 * A system whose answers about the trial of the update are written into the ledger: each step before
 * it is asked for, and what came of it after. What is done for anything else passes through. A trial
 * of an update that was called off is not committed but taken back.
 */
export function followTrial(system: SystemClient, { io, tracker }: Following): SystemClient {
  const isOurs = ({ transaction }: Pick<Trial, "transaction">) =>
    transaction === tracker.update().transaction && isTouched(tracker.update());

  async function rollBack(trial: Trial, verdict: Verdict, why: Partial<UpdateEvent> = {}) {
    const reason = verdict.reasons.join("; ") || "it was taken back";
    tracker.note({ name: "roll-back", reason, code: "update/not-healthy", ...why });
    const back = await system.rollBack(trial, verdict);
    if (back.restart) tracker.note({ name: "restart-back" });
    else endedBack({ io, tracker });
    return back;
  }

  return {
    ...system,
    async recover(options) {
      const recovery = await system.recover(options);
      const trial = recovery.trial?.trial;
      if (trial !== undefined && isOurs(trial) && trial.activation !== "waits-for-restart")
        tracker.note({ name: "tried" });
      const isOpen = trial !== undefined || recovery.state === "restart" || recovery.fault !== null;
      if (isTouched(tracker.update())) {
        const { trials } = await system.history();
        settleByJournal({ io, tracker }, { trials, isOpen });
      }
      await settleKept(io, system);
      return recovery;
    },
    async commit(trial, verdict) {
      if (!isOurs(trial)) return system.commit(trial, verdict);
      const canceled = whyCanceled(io.files, tracker.update());
      if (canceled !== undefined) {
        const code = "update/canceled";
        const given = { ...verdict, healthy: false, conclusive: false, reasons: [canceled] };
        await rollBack(trial, given, { code });
        throw new Fault(code, canceled);
      }
      tracker.happen({ name: "commit" });
      const committed = await system.commit(trial, verdict);
      endedCommitted({ io, tracker });
      return committed;
    },
    rollBack: (trial, verdict) =>
      isOurs(trial) ? rollBack(trial, verdict) : system.rollBack(trial, verdict),
  };
}

/** Why an update is not to be committed, healthy or not; `undefined` where it may be. */
function whyCanceled(files: Files, update: Update): string | undefined {
  if (update.state === "ROLLING_BACK") return update.reason ?? "it was called off";
  const wish = readWish(files, "cancel", update.updateId);
  return wish === undefined ? undefined : `called off by ${wish.by}`;
}

/**
 * From here on the node is made from the release. Nothing that goes wrong now leads back: what cannot be
 * written is in the journal, and the next start writes it.
 */
function endedCommitted({ io, tracker }: Following): void {
  try {
    const staged = readStaged(io.files);
    if (staged !== undefined) keepCommitted(io, staged);
  } catch (error) {
    tracker.note({ name: "committed", reason: (error as Error).message });
    return;
  }
  tracker.note({ name: "committed" });
}

function endedBack({ io, tracker }: Following): void {
  try {
    dropStaged(io);
  } finally {
    tracker.note({ name: "rolled-back" });
  }
}

/**
 * Holds the ledger against the journal, whose word counts: how the trial of the update ended, where a
 * process that was to write that down has ended without. `isOpen`: whether the journal has it open;
 * where that is not known it may be.
 */
export function settleByJournal(
  { io, tracker }: Following,
  { trials, isOpen }: { readonly trials: readonly TrialRecord[]; readonly isOpen: boolean },
): void {
  const update = tracker.update();
  if (!isTouched(update)) return;
  const ended = trials.findLast(({ transaction }) => transaction === update.transaction);
  if (ended === undefined) {
    if (isOpen) return;
    // Before the first record of a trial: nothing was begun.
    if (update.state === "INSTALLING") tracker.happen({ name: "again" });
    else if (tracker.update().state !== "ROLLBACK_FAILED") lostTrial({ io, tracker });
    return;
  }
  if (ended.result === "committed") {
    tracker.note({ name: "tried" });
    tracker.note({ name: "commit" });
    endedCommitted({ io, tracker });
    return;
  }
  const reason = ended.reasons.join("; ") || "it was taken back";
  tracker.note({ name: "roll-back", reason, code: "update/not-healthy" });
  endedBack({ io, tracker });
}

/**
 * Of an update that has succeeded: that the machine went back since, because the first boot of its system did not
 * come up. That is the end of it then.
 */
export function settleFirstBoot(tracker: Tracker, trials: readonly TrialRecord[]): void {
  const { state, transaction } = tracker.update();
  const leaving = state === "SUCCEEDED" ? leavingOf(trials, transaction) : undefined;
  if (leaving === undefined) return;
  const reason = leaving.verdict?.reasons.join("; ") || "its first boot did not come up";
  tracker.note({ name: "boot-failed", reason, code: "update/boot-failed" });
}

/** The journal was begun anew meanwhile: what runs was left alone, and nobody knows how the trial ended. */
function lostTrial({ tracker }: Following): void {
  const reason = "the journal knows of its trial no longer";
  tracker.note({ name: "roll-back", reason, code: "system/journal-damaged" });
  tracker.note({ name: "stuck", reason, code: "update/roll-back-failed" });
}
