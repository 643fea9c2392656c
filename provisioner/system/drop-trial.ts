import { Fault } from "#core/fault.ts";
import type { OpenAttempt } from "./transaction-state.ts";
import { type Change, dropTrialProfile, step } from "./work.ts";

/**
 * Removes what would boot a system on trial once more: the choice for the next boot, and the profile
 * from which its entry is made. A choice that is still to come must go; of one that was used already
 * it is only said that something of it is left. What somebody else has chosen since stays.
 */
export async function dropTrial(
  change: Change,
  { txn, attempt, choice = "unknown" }: Pick<OpenAttempt, "txn" | "attempt" | "choice">,
): Promise<void> {
  const { once, closure } = attempt;
  if (once === null) return;
  const { loader } = once;
  await step(change, { txn, name: "drop-trial", intent: { loader } }, async () => {
    const left: string[] = [];
    try {
      if (choice !== "none") {
        const entry = choice === "unknown" ? null : choice.entry;
        await change.commands.forgetOnce({ loader, entry });
      }
    } catch (error) {
      if (!(error instanceof Fault) || change.machine.running() !== closure.toplevel) throw error;
      left.push(error.message);
    }
    dropTrialProfile(change);
    return { left };
  });
}
