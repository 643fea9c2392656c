import type { RolloutDefinition } from "#generated/fleet/rollout/definition.ts";
import type { Selectable } from "../registry/selector.ts";
import type { NodeState } from "./node-states.ts";

/** A release by its name and number. */
export interface ReleaseName {
  readonly name: string;
  readonly number: number;
}

/** Where a rollout stands; each phase carries what is known of it. */
export type Phase =
  /** A person must say yes before this wave begins. */
  | { readonly state: "AWAITING_APPROVAL"; readonly wave: number }
  | { readonly state: "RUNNING"; readonly wave: number }
  /** Enough of the wave's nodes have succeeded, and must stay so. */
  | { readonly state: "SOAKING"; readonly wave: number; readonly untilMs: number }
  | { readonly state: "PAUSED"; readonly wave: number; readonly reason: string }
  /** Every wave has passed; who was not there yet comes now. */
  | { readonly state: "CONVERGING"; readonly wave: number }
  /** Every node is taken back to what it had. */
  | { readonly state: "ROLLING_BACK"; readonly wave: number; readonly reason: string }
  | { readonly state: EndState; readonly wave: number; readonly reason: string };

/** How a rollout ends. Nothing is started any more. */
export type EndState = "SUCCEEDED" | "ABORTED" | "TIMED_OUT" | "ROLLED_BACK" | "ROLLBACK_FAILED";

const endStates: Readonly<Record<EndState, true>> = {
  SUCCEEDED: true,
  ABORTED: true,
  TIMED_OUT: true,
  ROLLED_BACK: true,
  ROLLBACK_FAILED: true,
};

export function isEnded(phase: Phase): boolean {
  return Object.hasOwn(endStates, phase.state);
}

/** What is kept of a wave. Times are milliseconds since 1970. */
export interface WaveProgress {
  /** How many nodes it may take; decided as it begins. */
  readonly size: number | null;
  readonly startedMs: number | null;
  readonly passedMs: number | null;
  /** Failures that a person has seen and went on from. */
  readonly forgiven: number;
}

/**
 * A rollout as it is kept, but for what each node does, which is kept with the node
 * ({@link NodeProgress}). Plain JSON.
 */
export interface Rollout {
  readonly v: 1;
  readonly definition: RolloutDefinition;
  readonly phase: Phase;
  /** When the phase was entered. */
  readonly sinceMs: number;
  readonly startedMs: number;
  readonly waves: readonly WaveProgress[];
  /** Hardware models that are left out for their failures. */
  readonly heldModels: readonly string[];
  /** A person has said to go on: what has failed by the next step is forgiven. */
  readonly forgive: boolean;
  readonly forgiven: Forgiven;
}

/** Failures that a person has seen and went on from, of models and of the groups that go one at a time. */
export interface Forgiven {
  readonly models: Readonly<Record<string, number>>;
  /** In the order of the definition's `oneAtATime`, by value of the label. */
  readonly groups: readonly Readonly<Record<string, number>>[];
}

/** What a rollout knows of one node that it has started. Plain JSON. */
export interface NodeProgress {
  /** Number of the wave that started it. */
  readonly wave: number;
  /** `back` while it is taken back. */
  readonly direction: "forward" | "back";
  readonly updateId: string;
  readonly attempt: number;
  readonly state: NodeState;
  /** When the state was entered, or heard of. */
  readonly sinceMs: number;
  /** From when on its time is counted. */
  readonly activeMs: number;
  /** What it had before; `null` when that is not known. */
  readonly from: ReleaseName | null;
}

/** What a node said last of an update. */
export interface ReportedUpdate {
  readonly updateId: string;
  readonly state: NodeState;
}

/** A node as a rollout sees it. */
export interface RolloutNode extends Selectable {
  readonly online: boolean;
  /** Left out by a person. What is in progress goes on. */
  readonly cordoned: boolean;
  /** Something else is in progress on it, or about to be. */
  readonly busy: boolean;
  /** When it came to the fleet. */
  readonly joinedMs: number;
  readonly timezone?: string | undefined;
  /** The release that it has; `null` when that is not known. */
  readonly release: ReleaseName | null;
  readonly update: ReportedUpdate | null;
  /** Of this rollout. */
  readonly progress: NodeProgress | null;
}

/**
 * What is to be done. Each one of a node carries its new progress, which is written before anything
 * is done about it.
 */
export type Decision =
  /** The node shall have this release; it is told so by its signed metadata. */
  | {
      readonly kind: "assign";
      readonly node: string;
      readonly release: ReleaseName;
      readonly progress: NodeProgress;
    }
  /** Nothing is desired of the node any more. */
  | { readonly kind: "withdraw"; readonly node: string; readonly progress: NodeProgress }
  /** Only to be kept. */
  | { readonly kind: "note"; readonly node: string; readonly progress: NodeProgress }
  /** For the history and for who watches. */
  | { readonly kind: "event"; readonly event: RolloutEvent };

/** What happened to a rollout as a whole. */
export type RolloutEvent =
  | { readonly event: "phase"; readonly from: Phase["state"]; readonly to: Phase }
  | { readonly event: "wave.started"; readonly wave: string; readonly size: number }
  | { readonly event: "wave.passed"; readonly wave: string; readonly succeeded: number }
  | { readonly event: "model.held"; readonly model: string; readonly failed: number };

/** Why nodes that are selected have not been started. */
export type WaitingReason =
  /** Not connected. */
  | "offline"
  /** Its turn comes with a later wave. */
  | "later"
  /** A budget, or the most in progress, is full. */
  | "budget"
  | "window"
  /** Another update is in progress on it. */
  | "busy"
  /** No node of its hardware model has succeeded yet. */
  | "canary"
  /** Its model, or its group, has failed too often. */
  | "held"
  | "cordoned"
  | "late-joiner";

/** Where a wave stands, counted anew each time. */
export interface WaveTally {
  readonly name: string;
  readonly size: number | null;
  readonly inProgress: number;
  readonly succeeded: number;
  readonly failed: number;
}

/** Where all nodes of a rollout stand. */
export interface RolloutTally {
  readonly selected: number;
  /** Nodes that have the release without having been started. */
  readonly already: number;
  readonly waves: readonly WaveTally[];
  readonly waiting: Readonly<Partial<Record<WaitingReason, number>>>;
  /** Of going back; nodes for which no former release is known are `stuck`. */
  readonly back: { readonly inProgress: number; readonly done: number; readonly stuck: number };
}

/** The name under which nodes of an unknown hardware model stand. */
export const unknownModel = "unknown";
