import { describeFault, Fault } from "#core/fault.ts";
import { abandonBuild } from "./abandon.ts";
import { finishCommit } from "./commit.ts";
import { readJournal } from "./journal.ts";
import { rollBackOpen, type WhyBack } from "./roll-back.ts";
import type { Recovery } from "./system.ts";
import { transactionState } from "./transaction.ts";
import type { TransactionState } from "./transaction-state.ts";
import { type Change, openTransaction } from "./work.ts";

/**
 * Settles what the journal left open: before the intent to commit it goes back to the system from
 * before, after it the commit is finished. A fault on the way is part of the answer, and the next
 * start tries again.
 */
export async function recover(change: Change): Promise<Recovery> {
  const open = openTransaction(change);
  const transaction = open.state === "none" ? null : open.txn;
  const notes = change.journal.notes;
  try {
    const { state, details } = await settle(change, open);
    return { state, transaction, details: [...notes, ...details], fault: null };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const details = [...notes, `${open.state}: ${error.message}`];
    return { state: "continued", transaction, details, fault: describeFault(error) };
  }
}

/** Whether the journal leaves nothing open; only reads. */
export function isClean({ io, paths }: Pick<Change, "io" | "paths">): boolean {
  const { records, torn } = readJournal(io.files, paths.journal);
  return torn === null && transactionState(records).state === "none";
}

type Settled = Pick<Recovery, "state" | "details">;

async function settle(change: Change, open: TransactionState): Promise<Settled> {
  switch (open.state) {
    case "none":
      return { state: "clean", details: [] };
    case "building":
    case "built":
      await abandonBuild(change, "firstlight was started again");
      return { state: "abandoned", details: ["a build that was never tried was dropped"] };
    case "trying":
    case "tried":
      return back(change, {
        verdict: null,
        reasons: [`firstlight ended while it was ${open.state}`],
      });
    case "rolling-back":
      return back(change, open);
    case "committing": {
      await change.commands.awaitSwitch(open.txn); // a boot entry may be half-way
      const { generation } = await finishCommit(change, open);
      return {
        state: "continued",
        details: [`the commit of generation ${generation} was finished`],
      };
    }
  }
}

async function back(change: Change, { verdict, reasons }: WhyBack): Promise<Settled> {
  const rolledBack = await rollBackOpen(change, { verdict, reasons });
  const now = rolledBack.toplevel ?? "no system of before";
  return { state: "rolled-back", details: [...rolledBack.reasons, `${now} runs`] };
}
