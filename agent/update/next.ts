import { answerOf, effectOf, isOver, isUntouched } from "./transitions.ts";
import type { Effect, EventName, Update, UpdateEvent } from "./update-state.ts";

/** Records of one update in the ledger: one that comes to no end ends by this. */
export const maxRecords = 28;

/** The longest way from INSTALLING to an end; what was begun is always written down to its end. */
export const reservedRecords = 7;

/** Where and when something happened. */
export interface Moment {
  readonly at: string;
  readonly bootId: string;
}

/** The update after an event, and what is to be done for it. */
export interface Next {
  readonly state: Update;
  /** What it counts as: the event itself, or `exhausted`. */
  readonly event: EventName;
  readonly effects: readonly Effect[];
}

/**
 * The whole machine. A misfit changes nothing and asks for nothing. An update that would have more records
 * than {@link maxRecords} is over with FAILED, as long as nothing of the machine has been touched.
 */
export function next(current: Update, event: UpdateEvent, moment: Moment): Next {
  const answer = answerOf(current.state, event.name);
  if (answer === "misfit") return { state: current, event: event.name, effects: [] };
  if (event.name === "received") return entered(begun(current, event), event, moment);
  const records = current.records + 1;
  const goesOn = !isOver(answer) && isUntouched(answer);
  if (goesOn && records > maxRecords - reservedRecords) {
    const reason = `${maxRecords - reservedRecords} records and no end; the last one: ${event.name}`;
    return next(current, { name: "exhausted", reason, code: "update/looping" }, moment);
  }
  const isAnew = answer === "SCHEDULED" || answer === "RECEIVED";
  return entered(
    {
      ...current,
      state: answer,
      records,
      seq: current.seq + 1,
      attempt: current.attempt + (event.name === "due" ? 1 : 0),
      transaction: event.transaction ?? (isAnew ? null : current.transaction),
      toplevel: event.toplevel ?? (isAnew ? null : current.toplevel),
      reason: event.reason ?? (keepsReason(answer) ? current.reason : null),
      code: event.code ?? (keepsReason(answer) ? current.code : null),
    },
    event,
    moment,
  );
}

/** Why it went back is still why when it is back. */
function keepsReason(state: Update["state"]): boolean {
  return state === "ROLLED_BACK" || state === "ROLLBACK_REBOOTING" || state === "ROLLBACK_FAILED";
}

function begun(current: Update, { update }: UpdateEvent): Update {
  if (update === undefined) throw new Error("an update is received with its release");
  return {
    ...{ state: "RECEIVED", ...update, since: null, bootId: null, attempt: 0, records: 1 },
    ...{ seq: current.seq + 1, transaction: null, toplevel: null, reason: null, code: null },
  };
}

function entered(update: Update, { name: event }: UpdateEvent, { at, bootId }: Moment): Next {
  const state = { ...update, since: at, bootId };
  const effect = effectOf(state.state);
  const done: readonly Effect[] = isOver(state.state) ? ["forget-wishes"] : [];
  return { state, event, effects: ["tell", ...(effect === undefined ? done : [effect])] };
}
