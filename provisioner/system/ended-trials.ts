import type { Attempt, StepRecord } from "./journal-record.ts";
import type { Verdict } from "./system.ts";
import { hasAttempt, type TransactionState } from "./transaction-state.ts";

/** A trial that has ended, as `history` and idempotent answers need it. */
export interface EndedTrial {
  readonly txn: string;
  readonly outcome: "committed" | "rolled-back";
  readonly attempt: Attempt;
  readonly verdict: Verdict | null;
  /** Of a committed one; also of one whose generation was made and then left. */
  readonly generation: number | null;
  readonly reasons: readonly string[];
  /** Whether the release is to blame for its end. */
  readonly blamed: boolean;
  readonly at: string;
}

/** So many of either outcome are remembered, the newest ones. */
const mostEnded = { committed: 100, "rolled-back": 50 } as const;
const mostReasons = 20;
const mostCharacters = 500;

/** The trial that a record ends, if it ends one. */
export function endedBy(before: TransactionState, record: StepRecord): EndedTrial | undefined {
  if (!hasAttempt(before) || record.kind !== "result" || !record.data.ok) return undefined;
  const { txn, at } = record;
  const verdict = "verdict" in before && before.verdict !== null ? shortened(before.verdict) : null;
  // Nobody judges it any more.
  const head = { txn, at, attempt: { ...before.attempt, judging: null }, verdict };
  if (record.step === "commit") {
    const { generation } = record.data.value;
    return { ...head, outcome: "committed", generation, reasons: [], blamed: false };
  }
  if (record.step !== "roll-back") return undefined;
  if (before.state !== "rolling-back") return undefined;
  const reasons = short(record.data.value.reasons);
  const { left: generation, blamed } = before;
  return { ...head, outcome: "rolled-back", generation, reasons, blamed };
}

/** The trials with one more; the oldest of its outcome goes where there are too many. */
export function withEnded(ended: readonly EndedTrial[], trial: EndedTrial): readonly EndedTrial[] {
  const all = [...ended, trial];
  const same = all.filter(({ outcome }) => outcome === trial.outcome);
  return same.length <= mostEnded[trial.outcome] ? all : all.filter((one) => one !== same[0]);
}

/** What is known of a system that ran before: the sources it was made from. */
export function sourcesOf(trials: readonly EndedTrial[], toplevel: string | null): string | null {
  const committed = trials.filter((trial) => trial.outcome === "committed");
  const last = committed.findLast((trial) => trial.attempt.closure.toplevel === toplevel);
  return last?.attempt.closure.sourcesDigest ?? null;
}

function shortened(verdict: Verdict): Verdict {
  return { ...verdict, reasons: short(verdict.reasons) };
}

function short(reasons: readonly string[]): readonly string[] {
  return reasons.slice(0, mostReasons).map((reason) => reason.slice(0, mostCharacters));
}
