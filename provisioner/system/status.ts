import { readJournal } from "./journal.ts";
import type { ChangeReason, SystemStatus } from "./system.ts";
import type { TransactionState } from "./transaction-state.ts";
import type { Work } from "./work.ts";

/** What is under way and what runs, read without the lock and without a process. */
export function status({ io, paths, machine }: Work): SystemStatus {
  const open = readJournal(io.files, paths.journal).ledger.state;
  return {
    state: open.state,
    transaction: open.state === "none" ? null : open.txn,
    reason: reasonOf(open),
    bootId: machine.bootId,
    running: machine.running(),
    booted: machine.booted(),
    bootDefault: machine.profile(),
  };
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
