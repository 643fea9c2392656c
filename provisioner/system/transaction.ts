import type { StepRecord } from "./journal-record.ts";
import {
  type Committing,
  hasAttempt,
  type OpenAttempt,
  type Preparing,
  type RollingBack,
  type StateName,
  type TransactionState,
  type Trying,
} from "./transaction-state.ts";
import { answerOf, beginnings, eventOf } from "./transitions.ts";

/**
 * The state after one more record, as the table of `transitions.ts` has it. Pure and total: a record
 * that does not fit changes nothing.
 */
export function next(state: TransactionState, record: StepRecord): TransactionState {
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
function note(state: TransactionState, record: StepRecord): TransactionState {
  if (record.step === "arm" && record.kind === "intent" && hasAttempt(state)) {
    if (state.armed?.bootId === record.bootId) return state;
    const { bootId, at, data } = record;
    const up = data.upMs === undefined ? {} : { upMs: data.upMs };
    return { ...state, armed: { bootId, at, ...up } };
  }
  switch (state.state) {
    case "preparing":
      return noteChoice(state, record);
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

function noteChoice(state: Preparing, record: StepRecord): Preparing {
  if (record.step !== "boot-once") return state;
  const isDone = record.kind === "result" && record.data.ok;
  return { ...state, choice: isDone ? { entry: record.data.value.entry } : "unknown" };
}

function noteActivation(state: Trying, record: StepRecord): Trying {
  if (record.step !== "activate") return state;
  if (record.kind === "intent") return { ...state, touched: true };
  if (!record.data.ok) return state;
  const { value: activation } = record.data;
  return { ...state, touched: activation.touched, activation };
}

function noteFailure(state: Committing, record: StepRecord): Committing {
  if (record.kind === "intent") return state;
  const { step, data } = record;
  if (step === "set-profile" && data.ok) return { ...state, profileSet: true };
  if (step === "boot-entry" && data.ok) return { ...state, hasEntry: true, failures: [] };
  const laterTry = step === "boot-entry" || step === "publish";
  return laterTry && !data.ok ? { ...state, failures: [...state.failures, data.failure] } : state;
}

function noteWayBack(state: RollingBack, record: StepRecord): RollingBack {
  if (record.kind === "intent") {
    if (record.step === "reset-profile") return { ...state, left: record.data.from };
    if (record.step === "restart") return { ...state, restarts: state.restarts + 1 };
    return record.step === "roll-back" ? { ...state, ...record.data } : state;
  }
  if (record.step === "roll-back" && !record.data.ok) {
    const restartIn = record.data.failure.code === "system/restart-needed" ? record.bootId : null;
    return { ...state, restartIn };
  }
  const runs = record.step === "re-activate" && record.data.ok;
  return runs && record.data.value.end !== "refused" ? { ...state, touched: false } : state;
}

/** What a state begins with. An answer that its record cannot give leaves the state as it is. */
function enter(answer: StateName, state: TransactionState, record: StepRecord): TransactionState {
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
        ? { state: "trying", txn, bootId, attempt: record.data, ...untouched }
        : state;
    case "preparing":
      return record.kind === "intent" && record.step === "prepare"
        ? { state: "preparing", txn, bootId, attempt: record.data, ...untouched, choice: "none" }
        : state;
    case "waiting":
      return state.state === "preparing" &&
        record.kind === "result" &&
        record.step === "prepare" &&
        record.data.ok
        ? { ...trialOf(state), state: "waiting", trial: record.data.value }
        : state;
    case "tried":
      return tried(state, record);
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
        ? {
            ...trialOf(state),
            state: "rolling-back",
            ...record.data,
            left: null,
            restarts: 0,
            restartIn: null,
          }
        : state;
  }
}

/** After an activation in the same boot, or in the boot that the machine was restarted into. */
function tried(state: TransactionState, record: StepRecord): TransactionState {
  if (record.kind !== "result" || !record.data.ok) return state;
  if (state.state === "trying" && record.step === "try") {
    return { ...trialOf(state), state: "tried", trial: record.data.value };
  }
  if (state.state !== "waiting" || record.step !== "resume") return state;
  const { bootId } = record;
  return { ...trialOf(state), state: "tried", bootId, touched: true, trial: record.data.value };
}

/** As every trial begins. */
const untouched = { touched: false, armed: null } as const;

function trialOf({ txn, bootId, attempt, touched, armed, choice }: OpenAttempt) {
  return { txn, bootId, attempt, touched, armed, ...(choice === undefined ? {} : { choice }) };
}
