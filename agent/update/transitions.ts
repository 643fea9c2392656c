import type { Effect, EventName, StateName } from "./update-state.ts";

/** What an event leads to: a state, or `misfit`: it belongs elsewhere, and changes nothing. */
export type Answer = StateName | "misfit";

type Arcs = Readonly<Partial<Record<EventName, StateName>>>;

/** While nothing of the machine has been touched. */
const leaves: Arcs = {
  cancel: "CANCELED",
  supersede: "SUPERSEDED",
  expire: "TIMED_OUT",
  exhausted: "FAILED",
};
const waits: Arcs = { ...leaves, pause: "PAUSED" };
/** What was signed did not live as long as it waited. */
const anew: Arcs = { verify: "VERIFYING" };
/** While the system is made; all of it can be done again. */
const made: Arcs = {
  ...waits,
  ...anew,
  obtained: "STAGED",
  unchanged: "SUCCEEDED",
  again: "SCHEDULED",
  rejected: "REJECTED",
  failed: "FAILED",
};
/** After it was begun to activate: there is one way out before the commit. */
const tried: Arcs = { cancel: "ROLLING_BACK", "roll-back": "ROLLING_BACK" };
const ended: Arcs = { received: "RECEIVED" };

/**
 * The events that fit into each state, with the state that follows. Every other one is a misfit. An
 * update is left alone by cancel, deadline and supersession once it commits, and by reports at all times:
 * no event says that something could not be told.
 */
const transitions: Readonly<Record<StateName, Arcs>> = {
  IDLE: ended,
  RECEIVED: { ...waits, verify: "VERIFYING" },
  VERIFYING: {
    ...waits,
    verified: "SCHEDULED",
    asks: "AWAITING_APPROVAL",
    rejected: "REJECTED",
  },
  AWAITING_APPROVAL: { ...waits, approved: "SCHEDULED" },
  SCHEDULED: { ...waits, ...anew, due: "DOWNLOADING" },
  DOWNLOADING: { ...made, building: "BUILDING" },
  BUILDING: made,
  STAGED: {
    ...waits,
    ...anew,
    try: "INSTALLING",
    again: "SCHEDULED", // made again: another system runs since
    unchanged: "SUCCEEDED",
    rejected: "REJECTED",
    failed: "FAILED",
  },
  INSTALLING: {
    ...tried,
    restart: "REBOOTING",
    tried: "TESTING",
    again: "SCHEDULED", // the journal knows of no trial: nothing was begun
    failed: "FAILED",
    exhausted: "FAILED",
  },
  REBOOTING: { ...tried, tried: "TESTING" },
  TESTING: { ...tried, commit: "COMMITTING" },
  COMMITTING: {
    committed: "SUCCEEDED",
    "roll-back": "ROLLING_BACK", // not even the profile could be set
  },
  SUCCEEDED: { ...ended, "boot-failed": "ROLLED_BACK" }, // by the journal's word alone
  REJECTED: ended,
  FAILED: ended,
  ROLLING_BACK: {
    "restart-back": "ROLLBACK_REBOOTING",
    "rolled-back": "ROLLED_BACK",
    stuck: "ROLLBACK_FAILED",
  },
  ROLLBACK_REBOOTING: { "rolled-back": "ROLLED_BACK", stuck: "ROLLBACK_FAILED" },
  ROLLED_BACK: ended,
  ROLLBACK_FAILED: {
    ...ended, // where nothing of it is open any more
    "rolled-back": "ROLLED_BACK", // a later start could after all
  },
  PAUSED: { ...leaves, resume: "RECEIVED" }, // looked at anew: what was signed may have been taken back
  CANCELED: ended,
  TIMED_OUT: ended,
  SUPERSEDED: ended,
};

/** What is to be done in each state; what is entered from outside has nothing to do by itself. */
const effects: Readonly<Partial<Record<StateName, Effect>>> = {
  RECEIVED: "examine",
  VERIFYING: "examine",
  AWAITING_APPROVAL: "ask-approval",
  SCHEDULED: "await-time",
  DOWNLOADING: "obtain",
  BUILDING: "obtain",
  STAGED: "hold",
  INSTALLING: "activate",
  REBOOTING: "restart",
  TESTING: "judge",
  COMMITTING: "commit",
  ROLLING_BACK: "take-back",
  ROLLBACK_REBOOTING: "restart",
};

const events: Readonly<Record<EventName, true>> = {
  ...{ received: true, verify: true, verified: true, asks: true, approved: true, rejected: true },
  ...{ due: true, building: true, obtained: true, unchanged: true, try: true, restart: true },
  ...{ tried: true, commit: true, committed: true, "roll-back": true, "restart-back": true },
  ...{ "rolled-back": true, stuck: true, again: true, failed: true, pause: true, resume: true },
  ...{ cancel: true, supersede: true, expire: true, exhausted: true, "boot-failed": true },
};

/** Every state, in the order of the way. */
export const stateNames = Object.keys(transitions) as readonly StateName[];

export const eventNames = Object.keys(events) as readonly EventName[];

/** The answer of a state to an event. */
export function answerOf(state: StateName, event: EventName): Answer {
  return transitions[state][event] ?? "misfit";
}

/** What a state asks for. */
export function effectOf(state: StateName): Effect | undefined {
  return effects[state];
}

/** Whether an update is over, or none was begun; the next one may begin. */
export function isOver(state: StateName): boolean {
  return answerOf(state, "received") !== "misfit";
}

/** Whether an update can be dropped with nothing to take back. */
export function isUntouched(state: StateName): boolean {
  return answerOf(state, "supersede") !== "misfit";
}
