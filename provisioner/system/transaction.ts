import type { Attempt, JournalRecord, StepFailure } from "./journal-record.ts";
import type { ChangeReason, Closure, Trial, Verdict } from "./system.ts";

/**
 * The one transaction that the journal leaves open, with what is known of it. Each follows from the
 * one before by a record; a transaction that has ended is `none`.
 *
 *     none -> building -> built -> trying -> tried -> committing -> none
 *     building, built -> none (abandoned)      trying, tried, committing -> rolling-back -> none
 */
export type TransactionState =
  | { readonly state: "none" }
  | Building
  | (Open & { readonly state: "built"; readonly closure: Closure })
  | Trying
  | Tried
  | Committing
  | RollingBack;

interface Open {
  readonly txn: string;
  /** The boot it began in (of a trial: in which it was tried). */
  readonly bootId: string;
}

export interface Building extends Open {
  readonly state: "building";
  readonly sourcesDigest: string;
  readonly reason: ChangeReason;
}

/** The way back may be armed, and with `touched` the activation may have begun. */
export interface Trying extends Open {
  readonly state: "trying";
  readonly attempt: Attempt;
  readonly touched: boolean;
}

export interface Tried extends Open {
  readonly state: "tried";
  readonly attempt: Attempt;
  readonly touched: boolean;
  readonly trial: Trial;
}

/** The verdict was good and the system stays: what is left to do is to finish. */
export interface Committing extends Open {
  readonly state: "committing";
  readonly attempt: Attempt;
  readonly touched: boolean;
  readonly verdict: Verdict;
  /** Steps after the profile was set that have failed so far. */
  readonly failures: readonly StepFailure[];
}

export interface RollingBack extends Open {
  readonly state: "rolling-back";
  readonly attempt: Attempt;
  /** Whether the previous system has still to be activated again. */
  readonly touched: boolean;
  readonly verdict: Verdict | null;
  readonly reasons: readonly string[];
}

/** Transactions that were tried, so that there is an attempt to go back from. */
export type OpenAttempt = Trying | Tried | Committing | RollingBack;

/** The state that a journal's records lead to. Pure and total: a record that does not fit changes nothing. */
export function transactionState(records: readonly JournalRecord[]): TransactionState {
  return records.reduce<TransactionState>(next, { state: "none" });
}

function next(state: TransactionState, record: JournalRecord): TransactionState {
  return record.kind === "intent" ? afterIntent(state, record) : afterResult(state, record);
}

type Intent = Extract<JournalRecord, { readonly kind: "intent" }>;
type Result = Extract<JournalRecord, { readonly kind: "result" }>;

function afterIntent(state: TransactionState, record: Intent): TransactionState {
  const { txn, bootId } = record;
  if (record.step === "build") {
    return hasAttempt(state) ? state : { state: "building", txn, bootId, ...record.data };
  }
  if (record.step === "try") {
    return hasAttempt(state)
      ? state
      : { state: "trying", txn, bootId, attempt: record.data, touched: false };
  }
  if (!hasAttempt(state) || state.txn !== txn) return state;
  switch (record.step) {
    case "activate":
      return state.state === "trying" ? { ...state, touched: true } : state;
    case "commit":
      return state.state === "tried" ? committing(state, record.data.verdict) : state;
    case "roll-back":
      return rollingBack(state, record.data.verdict, record.data.reasons);
    default:
      return state;
  }
}

function afterResult(state: TransactionState, { step, data, txn }: Result): TransactionState {
  if (state.state !== "none" && state.txn !== txn) return state;
  const ended: TransactionState = { state: "none" };
  switch (state.state) {
    case "building":
      if (step === "build" && data.ok) {
        return { state: "built", txn, bootId: state.bootId, closure: data.value };
      }
      return step === "build" || (step === "abandon" && data.ok) ? ended : state;
    case "built":
      return step === "abandon" && data.ok ? ended : state;
    case "trying":
      if (step === "activate" && data.ok) return { ...state, touched: data.value.touched };
      return step === "try" && data.ok ? { ...state, state: "tried", trial: data.value } : state;
    case "none":
    case "tried":
      return state;
    case "committing":
      if ((step === "boot-entry" || step === "publish") && !data.ok) {
        return { ...state, failures: [...state.failures, data.failure] };
      }
      return step === "commit" && data.ok ? ended : state;
    case "rolling-back":
      if (step === "re-activate" && data.ok && data.value.end !== "refused") {
        return { ...state, touched: false };
      }
      return step === "roll-back" && data.ok ? ended : state;
  }
}

function committing(state: Tried, verdict: Verdict): Committing {
  const { txn, bootId, attempt, touched } = state;
  return { state: "committing", txn, bootId, attempt, touched, verdict, failures: [] };
}

function rollingBack(
  { txn, bootId, attempt, touched }: OpenAttempt,
  verdict: Verdict | null,
  reasons: readonly string[],
): RollingBack {
  return { state: "rolling-back", txn, bootId, attempt, touched, verdict, reasons };
}

/** Whether a transaction has got as far as a trial. */
export function hasAttempt(state: TransactionState): state is OpenAttempt {
  return "attempt" in state;
}

/** A trial that has ended, as `history` and idempotent answers need it. */
export interface EndedTrial {
  readonly txn: string;
  readonly outcome: "committed" | "rolled-back";
  readonly attempt: Attempt;
  readonly verdict: Verdict | null;
  /** Of a committed one; also of one whose generation was made and then left. */
  readonly generation: number | null;
  readonly reasons: readonly string[];
  readonly at: string;
}

/** Every trial of a journal that has ended, oldest first. */
export function endedTrials(records: readonly JournalRecord[]): readonly EndedTrial[] {
  const ended: EndedTrial[] = [];
  let state: TransactionState = { state: "none" };
  let left: number | null = null;
  for (const record of records) {
    const before: TransactionState = state;
    state = next(before, record);
    if (record.kind === "intent" && record.step === "reset-profile") left = record.data.from;
    if (state.state !== "none" || !hasAttempt(before)) continue;
    const { txn, at } = record;
    const verdict = "verdict" in before ? before.verdict : null;
    const head = { txn, at, attempt: before.attempt, verdict };
    if (record.kind !== "result" || !record.data.ok) continue;
    if (record.step === "commit") {
      const { generation } = record.data.value;
      ended.push({ ...head, outcome: "committed", generation, reasons: [] });
    } else if (record.step === "roll-back") {
      const { reasons } = record.data.value;
      ended.push({ ...head, outcome: "rolled-back", generation: left, reasons });
    }
    left = null;
  }
  return ended;
}

/** What is known of a system that ran before: the sources it was made from. */
export function sourcesOf(trials: readonly EndedTrial[], toplevel: string | null): string | null {
  const committed = trials.filter((trial) => trial.outcome === "committed");
  const last = committed.findLast((trial) => trial.attempt.closure.toplevel === toplevel);
  return last?.attempt.closure.sourcesDigest ?? null;
}
