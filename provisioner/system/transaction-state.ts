import type { Activation, Attempt, StepFailure } from "./journal-record.ts";
import type { ChangeReason, Closure, Trial, Verdict } from "./system.ts";

/**
 * The one transaction that the journal leaves open, with what is known of it; a transaction that
 * has ended is `none`. Which event leads from where to where stands in `transitions.ts`.
 */
export type TransactionState =
  | { readonly state: "none" }
  | Building
  | Built
  | Preparing
  | Waiting
  | Trying
  | Tried
  | Committing
  | RollingBack;

export type StateName = TransactionState["state"];

interface Open {
  readonly txn: string;
  /** The boot it began in (of a trial: in which it was tried). */
  readonly bootId: string;
}

export interface Building extends Open {
  readonly state: "building";
  readonly sourcesDigest: string | null;
  readonly reason: ChangeReason;
}

export interface Built extends Open {
  readonly state: "built";
  readonly closure: Closure;
}

/** A transaction that has got as far as a trial, so that there is something to go back from. */
interface OpenTrial extends Open {
  readonly attempt: Attempt;
  /** When its way back was first armed in the boot that is named; `null` where it was not. */
  readonly armed: {
    readonly bootId: string;
    readonly at: string;
    /** By the clock of that boot which nobody sets; absent in records of an earlier version. */
    readonly upMs?: number;
  } | null;
  /** Whether the running system may have been changed, and not been set back yet. */
  readonly touched: boolean;
  /** Of a trial by a restart; absent where a checkpoint of an earlier version stands for its records. */
  readonly choice?: BootChoice;
}

/** What the loader was told to boot next for a trial: its entry's name, unless whoever told it was killed. */
export type BootChoice = "none" | "unknown" | { readonly entry: string };

/** To be tried by a restart: what it takes to boot it once may be half there. */
export interface Preparing extends OpenTrial {
  readonly state: "preparing";
}

/** The next boot is to be its own. */
export interface Waiting extends OpenTrial {
  readonly state: "waiting";
  readonly trial: Trial;
}

/** The way back may be armed, and with `touched` the activation may have begun. */
export interface Trying extends OpenTrial {
  readonly state: "trying";
  /** How the activation ended, once that is written down: the unit that says it may be gone then. */
  readonly activation?: Activation;
}

export interface Tried extends OpenTrial {
  readonly state: "tried";
  readonly trial: Trial;
}

/** The verdict was good and the system stays: what is left to do is to finish. */
export interface Committing extends OpenTrial {
  readonly state: "committing";
  readonly verdict: Verdict;
  /** Whether the profile was set to it. */
  readonly profileSet: boolean;
  /** Whether the boot loader knows it; absent in checkpoints of an earlier version. */
  readonly hasEntry?: true;
  /** Failures so far of the step that is to be done: its boot entry, then its sources. */
  readonly failures: readonly StepFailure[];
}

export interface RollingBack extends OpenTrial {
  readonly state: "rolling-back";
  readonly verdict: Verdict | null;
  readonly reasons: readonly string[];
  readonly blamed: boolean;
  /** The generation that was made and then left. */
  readonly left: number | null;
  /** Restarts that were asked for to come back. */
  readonly restarts: number;
  /** The boot in which nothing but a restart was left to do, or `null`. */
  readonly restartIn: string | null;
}

export type OpenAttempt = Preparing | Waiting | Trying | Tried | Committing | RollingBack;

/** Whether a transaction has got as far as a trial. */
export function hasAttempt(state: TransactionState): state is OpenAttempt {
  return "attempt" in state;
}
