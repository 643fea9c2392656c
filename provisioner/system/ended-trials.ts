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
  /** What its commit could not do; absent where nothing is left. */
  readonly incomplete?: string;
}

/** So many of either outcome are remembered, the newest ones. */
const mostEnded = { committed: 100, "rolled-back": 50 } as const;
/** Characters of JSON. */
const mostJudging = 64 * 1024;
const mostReasons = 20;
const mostCharacters = 500;

/** The trial that a record ends, if it ends one. */
export function endedBy(before: TransactionState, record: StepRecord): EndedTrial | undefined {
  if (!hasAttempt(before) || record.kind !== "result" || !record.data.ok) return undefined;
  const { txn, at } = record;
  const verdict = "verdict" in before && before.verdict !== null ? shortened(before.verdict) : null;
  const { attempt } = before;
  const head = { txn, at, verdict };
  if (record.step === "commit") {
    const { generation, incomplete } = record.data.value;
    const kept = { ...attempt, judging: keptJudging(attempt.judging) };
    const end = { outcome: "committed", generation, reasons: [], blamed: false } as const;
    const undone = incomplete === null ? {} : { incomplete: incomplete.slice(0, mostCharacters) };
    return { ...head, attempt: kept, ...end, ...undone };
  }
  if (record.step !== "roll-back") return undefined;
  if (before.state !== "rolling-back") return undefined;
  const reasons = short(record.data.value.reasons);
  const { left: generation, blamed } = before;
  const unjudged = { ...attempt, judging: null }; // whoever goes back to one that was left is judged by the defaults
  return { ...head, attempt: unjudged, outcome: "rolled-back", generation, reasons, blamed };
}

/** The trials with one more; the oldest of its outcome goes where there are too many. */
export function withEnded(ended: readonly EndedTrial[], trial: EndedTrial): readonly EndedTrial[] {
  const all = [...ended, trial];
  const same = all.filter(({ outcome }) => outcome === trial.outcome);
  return same.length <= mostEnded[trial.outcome] ? all : all.filter((one) => one !== same[0]);
}

/** The trials after a record that says whether the end of one says anything about its release. */
export function withConclusion(
  ended: readonly EndedTrial[],
  record: StepRecord,
): readonly EndedTrial[] {
  if (record.kind !== "intent" || record.step !== "conclude" || record.data.conclusive)
    return ended;
  const { txn, data } = record;
  return ended.map((trial) =>
    trial.txn === txn
      ? { ...trial, blamed: false, reasons: short([...trial.reasons, ...data.reasons]) }
      : trial,
  );
}

/** What is known of a system that ran before: the sources it was made from. */
export function sourcesOf(trials: readonly EndedTrial[], toplevel: string | null): string | null {
  return committedAs(trials, toplevel)?.attempt.closure.sourcesDigest ?? null;
}

/** The newest trial by which a system became the boot default. */
export function committedAs(
  trials: readonly EndedTrial[],
  toplevel: string | null,
): EndedTrial | undefined {
  return trials.findLast(
    ({ outcome, attempt }) => outcome === "committed" && attempt.closure.toplevel === toplevel,
  );
}

/** What judged a system judges it again when somebody goes back to it; the journal stays bounded. */
export function keptJudging(judging: unknown): unknown {
  return JSON.stringify(judging ?? null).length <= mostJudging ? judging : null;
}

function shortened(verdict: Verdict): Verdict {
  return { ...verdict, reasons: short(verdict.reasons) };
}

function short(reasons: readonly string[]): readonly string[] {
  return reasons.slice(0, mostReasons).map((reason) => reason.slice(0, mostCharacters));
}
