import type { EndedTrial } from "./ended-trials.ts";
import { runs, toTrialRecord } from "./history.ts";
import { readJournal } from "./journal.ts";
import { hasMemoryGroups } from "./memory.ts";
import type { ChangeReason, LastTrial, SystemStatus } from "./system.ts";
import type { TransactionState } from "./transaction-state.ts";
import type { Work } from "./work.ts";

/** What is under way and what runs, read without the lock and without a process. */
export function status(work: Work): SystemStatus {
  const { io, paths, machine, settings } = work;
  const { state: open, ended } = readJournal(io.files, paths.journal).ledger;
  return {
    state: open.state,
    transaction: open.state === "none" ? null : open.txn,
    reason: reasonOf(open),
    bootId: machine.bootId,
    running: machine.running(),
    booted: machine.booted(),
    bootDefault: machine.profile(),
    last: lastOf(ended.at(-1)),
    leftAlone: open.state === "none" ? leftAlone(work, ended) : null,
    limits: !settings.systemd ? "none" : hasMemoryGroups(io.files) ? "kept" : "not-kept",
  };
}

/** A release that came to nothing is not tried over what a person chose since. */
function leftAlone(work: Work, ended: readonly EndedTrial[]): string | null {
  const sourcesDigest = ended.at(-1)?.attempt.closure.sourcesDigest;
  if (sourcesDigest == null) return null;
  const { chosen, overruled } = runs(work, sourcesDigest);
  return overruled ? chosen : null;
}

function lastOf(trial: EndedTrial | undefined): LastTrial | null {
  if (trial === undefined) return null;
  const { sourcesDigest } = trial.attempt.closure;
  return { ...toTrialRecord(trial), at: trial.at, sourcesDigest };
}

function reasonOf(open: TransactionState): ChangeReason | null {
  switch (open.state) {
    case "none":
      return null;
    case "building":
      return open.reason;
    case "built":
      return open.closure.reason;
    default:
      return open.attempt.closure.reason;
  }
}
