import type { Code } from "#core/codes.ts";
import type { UpdateState } from "#generated/protocol/messages/update.ts";

/** Where a node stands with an update, by the field's words. */
export type StateName = UpdateState["state"];

/** What happens to an update. */
export type EventName =
  /** A release was assigned, and lies on the disk. */
  | "received"
  | "verify"
  | "verified"
  /** A person, or the fleet, wants to be asked first. */
  | "asks"
  | "approved"
  | "rejected"
  /** Its time has come, and nothing keeps it. */
  | "due"
  /** It is built here; else it is fetched. */
  | "building"
  /** The system is in the store, and rooted. */
  | "obtained"
  /** The machine already is what the release asks for. */
  | "unchanged"
  | "try"
  /** The trial waits for a restart of the machine. */
  | "restart"
  /** The system runs, and is watched. */
  | "tried"
  | "commit"
  | "committed"
  | "roll-back"
  /** The way back takes a restart of the machine. */
  | "restart-back"
  | "rolled-back"
  | "stuck"
  /** It was committed, and its first boot did not come up: the system from before runs again. */
  | "boot-failed"
  /** What passes kept it; it is tried again. */
  | "again"
  | "failed"
  | "pause"
  | "resume"
  | "cancel"
  | "supersede"
  | "expire"
  /** More records than an update may have. */
  | "exhausted";

/** What a state asks to be done; each is done again after a kill, and comes to the same. */
export type Effect =
  | "examine"
  | "ask-approval"
  | "await-time"
  | "obtain"
  | "hold"
  | "activate"
  | "restart"
  | "judge"
  | "commit"
  | "take-back"
  /** The topic `update`, and an event in the spool. */
  | "tell"
  /** What persons asked of this update is done with. */
  | "forget-wishes";

/** The release that an update brings. */
export interface ReleaseName {
  /** Its place among the targets: `release/NAME`. */
  readonly path: string;
  readonly name: string;
  readonly number: number;
  /** Of its document. */
  readonly sha256: string;
}

/** The update that a node is at, or was at last; plain JSON. */
export interface Update {
  readonly state: StateName;
  /** `null` only with `IDLE`. */
  readonly updateId: string | null;
  readonly release: ReleaseName | null;
  /** When the state was entered. */
  readonly since: string | null;
  /** The boot in which it was entered. */
  readonly bootId: string | null;
  /** So often its system was begun to be made. */
  readonly attempt: number;
  /** Records that the ledger has of it. */
  readonly records: number;
  /** Of the last record. */
  readonly seq: number;
  /** The change in the journal; from the moment that the system is there. */
  readonly transaction: string | null;
  readonly toplevel: string | null;
  readonly reason: string | null;
  readonly code: Code | null;
}

/** Something that happened, with what is known by it. */
export interface UpdateEvent {
  readonly name: EventName;
  /** With `received`. */
  readonly update?: { readonly updateId: string; readonly release: ReleaseName };
  readonly transaction?: string;
  readonly toplevel?: string;
  /** For a person. */
  readonly reason?: string;
  readonly code?: Code;
}

/** A node that never had an update. */
export const idle: Update = {
  ...{ state: "IDLE", updateId: null, release: null, since: null, bootId: null },
  ...{ attempt: 0, records: 0, seq: 0, transaction: null, toplevel: null },
  ...{ reason: null, code: null },
};
