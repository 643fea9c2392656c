import type { Attempt, JournalRecord } from "./journal-record.ts";
import type { Verdict } from "./system.ts";
import {
  type Committing,
  hasAttempt,
  type OpenAttempt,
  type RollingBack,
  type StateName,
  type TransactionState,
  type Trying,
} from "./transaction-state.ts";
import { answerOf, beginnings, eventOf } from "./transitions.ts";

/** The state that a journal's records lead to. Pure and total: a record that does not fit changes nothing. */
export function transactionState(records: readonly JournalRecord[]): TransactionState {
  return records.reduce<TransactionState>(next, { state: "none" });
}

/** The state after one more record, as the table of `transitions.ts` has it. */
export function next(state: TransactionState, record: JournalRecord): TransactionState {
  const event = eventOf(record);
  const ofAnother = state.state !== "none" && state.txn !== record.txn;
  if (ofAnother && !beginnings.has(event)) return state;
  const answer = answerOf(state.state, event);
  if (answer === "misfit") return state;
  return answer === state.state && !beginnings.has(event)
    ? note(state, record)
    : enter(answer, state, record);
}

/** What a state remembers of an event that it outlives. */
function note(state: TransactionState, record: JournalRecord): TransactionState {
  switch (state.state) {
    case "trying":
      return noteActivation(state, record);
    case "committing":
      return noteFailure(state, record);
    case "rolling-back":
      return noteWayBack(state, record);
    default:
      return state;
  }
}

function noteActivation(state: Trying, record: JournalRecord): Trying {
  if (record.step !== "activate") return state;
  if (record.kind === "intent") return { ...state, touched: true };
  return record.data.ok ? { ...state, touched: record.data.value.touched } : state;
}

function noteFailure(state: Committing, record: JournalRecord): Committing {
  if (record.kind === "intent") return state;
  const { step, data } = record;
  if (step === "set-profile" && data.ok) return { ...state, profileSet: true };
  const laterTry = step === "boot-entry" || step === "publish";
  return laterTry && !data.ok ? { ...state, failures: [...state.failures, data.failure] } : state;
}

function noteWayBack(state: RollingBack, record: JournalRecord): RollingBack {
  if (record.kind === "intent") {
    return record.step === "roll-back" ? { ...state, ...record.data } : state;
  }
  const runs = record.step === "re-activate" && record.data.ok;
  return runs && record.data.value.end !== "refused" ? { ...state, touched: false } : state;
}

/** What a state begins with. An answer that its record cannot give leaves the state as it is. */
function enter(
  answer: StateName,
  state: TransactionState,
  record: JournalRecord,
): TransactionState {
  const { txn, bootId } = record;
  switch (answer) {
    case "none":
      return { state: "none" };
    case "building":
      return record.kind === "intent" && record.step === "build"
        ? { state: "building", txn, bootId, ...record.data }
        : state;
    case "built":
      return record.kind === "result" && record.step === "build" && record.data.ok
        ? { state: "built", txn, bootId, closure: record.data.value }
        : state;
    case "trying":
      return record.kind === "intent" && record.step === "try"
        ? { state: "trying", txn, bootId, attempt: record.data, touched: false }
        : state;
    case "tried":
      return state.state === "trying" &&
        record.kind === "result" &&
        record.step === "try" &&
        record.data.ok
        ? { ...state, state: "tried", trial: record.data.value }
        : state;
    case "committing":
      return state.state === "tried" && record.kind === "intent" && record.step === "commit"
        ? {
            ...trialOf(state),
            state: "committing",
            ...record.data,
            profileSet: false,
            failures: [],
          }
        : state;
    case "rolling-back":
      return hasAttempt(state) && record.kind === "intent" && record.step === "roll-back"
        ? { ...trialOf(state), state: "rolling-back", ...record.data }
        : state;
  }
}

function trialOf({ txn, bootId, attempt, touched }: OpenAttempt) {
  return { txn, bootId, attempt, touched };
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
