import { type Step, type StepRecord, stepNames } from "./journal-record.ts";
import type { StateName } from "./transaction-state.ts";

/** What a record of the journal tells: that a step begins, or how it ended. */
export type EventName = `${Step} ${"begins" | "done" | "failed"}`;

/** What an event leads to: a state, or `misfit`: it belongs elsewhere, and changes nothing. */
export type Answer = StateName | "misfit";

/**
 * The events that fit into each state, with the state that follows. Every other one is a misfit:
 * also what is said of a trial that has ended (`conclude`, `prove`), which concerns no state.
 */
const transitions: Readonly<Record<StateName, Readonly<Partial<Record<EventName, StateName>>>>> = {
  none: {
    "build begins": "building",
    "try begins": "trying", // of a generation that is there already
    "prepare begins": "preparing",
  },
  building: {
    "build begins": "building",
    "try begins": "trying",
    "prepare begins": "preparing",
    "build done": "built",
    "build failed": "none",
    "abandon begins": "building",
    "abandon done": "none",
    "abandon failed": "building",
  },
  built: {
    "build begins": "building",
    "try begins": "trying",
    "prepare begins": "preparing",
    "abandon begins": "built",
    "abandon done": "none",
    "abandon failed": "built",
  },
  preparing: {
    "trial-profile begins": "preparing",
    "trial-profile done": "preparing",
    "trial-profile failed": "preparing",
    "trial-entry begins": "preparing",
    "trial-entry done": "preparing",
    "trial-entry failed": "preparing",
    "boot-once begins": "preparing",
    "boot-once done": "preparing",
    "boot-once failed": "preparing",
    "prepare done": "waiting",
    "prepare failed": "preparing",
    "roll-back begins": "rolling-back",
  },
  waiting: {
    "restart begins": "waiting",
    "restart done": "waiting",
    "restart failed": "waiting",
    "resume begins": "waiting",
    "arm begins": "waiting",
    "arm done": "waiting",
    "arm failed": "waiting",
    "resume done": "tried",
    "resume failed": "waiting",
    "roll-back begins": "rolling-back",
  },
  trying: {
    "arm begins": "trying",
    "arm done": "trying",
    "arm failed": "trying",
    "activate begins": "trying",
    "activate done": "trying",
    "activate failed": "trying",
    "try done": "tried",
    "try failed": "trying",
    "roll-back begins": "rolling-back",
  },
  tried: {
    "disarm begins": "tried",
    "disarm done": "tried",
    "disarm failed": "tried",
    "commit begins": "committing",
    "roll-back begins": "rolling-back",
  },
  committing: {
    "commit begins": "committing", // once more, after a failure or a restart
    "set-profile begins": "committing",
    "set-profile done": "committing",
    "set-profile failed": "committing",
    "drop-trial begins": "committing",
    "drop-trial done": "committing",
    "drop-trial failed": "committing",
    "boot-entry begins": "committing",
    "boot-entry done": "committing",
    "boot-entry failed": "committing",
    "publish begins": "committing",
    "publish done": "committing",
    "publish failed": "committing",
    "commit done": "none",
    "commit failed": "committing",
    "roll-back begins": "rolling-back", // not even the profile could be set
  },
  "rolling-back": {
    "roll-back begins": "rolling-back",
    "re-activate begins": "rolling-back",
    "re-activate done": "rolling-back",
    "re-activate failed": "rolling-back",
    "reset-profile begins": "rolling-back",
    "reset-profile done": "rolling-back",
    "reset-profile failed": "rolling-back",
    "drop-trial begins": "rolling-back",
    "drop-trial done": "rolling-back",
    "drop-trial failed": "rolling-back",
    "trial-entry begins": "rolling-back",
    "trial-entry done": "rolling-back",
    "trial-entry failed": "rolling-back",
    "restart begins": "rolling-back",
    "restart done": "rolling-back",
    "restart failed": "rolling-back",
    "disarm begins": "rolling-back",
    "disarm done": "rolling-back",
    "disarm failed": "rolling-back",
    "roll-back done": "none",
    "roll-back failed": "rolling-back",
  },
};

/** Every state, in the order of the way. */
export const stateNames = Object.keys(transitions) as readonly StateName[];

/** Every event, step by step. */
export const eventNames: readonly EventName[] = stepNames.flatMap((step) =>
  (["begins", "done", "failed"] as const).map((how): EventName => `${step} ${how}`),
);

/** These begin a transaction of their own; every other event belongs to the one that is open. */
export const beginnings: ReadonlySet<EventName> = new Set([
  "build begins",
  "try begins",
  "prepare begins",
]);

/** The answer of a state to an event of its transaction, or to one that begins another. */
export function answerOf(state: StateName, event: EventName): Answer {
  return transitions[state][event] ?? "misfit";
}

/** The event that a record tells. */
export function eventOf(record: StepRecord): EventName {
  const { step } = record;
  if (record.kind === "intent") return `${step} begins`;
  return record.data.ok ? `${step} done` : `${step} failed`;
}
