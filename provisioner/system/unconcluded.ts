import { type EndedTrial, keptJudging } from "./ended-trials.ts";
import type { StepRecord } from "./journal-record.ts";
import type { Verdict } from "./system.ts";
import { hasAttempt, type TransactionState } from "./transaction-state.ts";

/**
 * The trial that ended last, where its release is blamed by checks of which nobody has said yet whether
 * they fail without it as well: who was to say it was killed in between.
 */
export interface Unconcluded {
  readonly txn: string;
  /** As it was given to `try`. */
  readonly judging: unknown;
  readonly verdict: Verdict;
}

/** What is to be concluded after a record, and after the trial that it ended. */
export function followUnconcluded(
  {
    state,
    unconcluded,
  }: { readonly state: TransactionState; readonly unconcluded: Unconcluded | null },
  record: StepRecord,
  ended: EndedTrial | undefined,
): Unconcluded | null {
  if (ended !== undefined && hasAttempt(state)) {
    if (state.attempt.left !== undefined) return unconcluded; // nothing was tried, a boot was left
    const { txn, blamed, verdict } = ended;
    const isOpen = blamed && verdict !== null && (verdict.failed ?? []).length > 0;
    return isOpen ? { txn, judging: keptJudging(state.attempt.judging), verdict } : null;
  }
  const isConcluded = record.step === "conclude" && record.kind === "intent";
  return isConcluded && record.txn === unconcluded?.txn ? null : unconcluded;
}
