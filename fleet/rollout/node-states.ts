import type { UpdateState } from "#generated/protocol/messages/update.ts";

/**
 * Where a node stands: the states of the topic `update`, with two of the fleet's own. `ASSIGNED`:
 * the node was given the update, and has not answered. `UNREACHED`: it did not begin in time, and
 * was let go.
 */
export type NodeState = "ASSIGNED" | "UNREACHED" | Exclude<UpdateState["state"], "IDLE">;

/** What a state means for a rollout. */
export type Standing =
  /** In progress, and nothing of the machine is touched yet: it can be let go. */
  | "untouched"
  /** The same, but it waits at the node for a person or a time, which no timeout counts. */
  | "waits"
  /** In progress, and in the middle of it. */
  | "begun"
  | "succeeded"
  | "failed"
  /** Ended without anything said of the release: it takes no place in its wave. */
  | "void";

const standings: Readonly<Record<NodeState, Standing>> = {
  ASSIGNED: "untouched",
  RECEIVED: "untouched",
  VERIFYING: "untouched",
  DOWNLOADING: "untouched",
  BUILDING: "untouched",
  STAGED: "untouched",
  AWAITING_APPROVAL: "waits",
  SCHEDULED: "waits",
  PAUSED: "waits",
  INSTALLING: "begun",
  REBOOTING: "begun",
  TESTING: "begun",
  COMMITTING: "begun",
  ROLLING_BACK: "begun",
  ROLLBACK_REBOOTING: "begun",
  SUCCEEDED: "succeeded",
  REJECTED: "failed",
  FAILED: "failed",
  ROLLED_BACK: "failed",
  ROLLBACK_FAILED: "failed",
  TIMED_OUT: "failed",
  UNREACHED: "void",
  CANCELED: "void",
  SUPERSEDED: "void",
};

export function standingOf(state: NodeState): Standing {
  return standings[state];
}

export function isInProgress(state: NodeState): boolean {
  const standing = standings[state];
  return standing === "untouched" || standing === "waits" || standing === "begun";
}

/** Whether a node can say this of an update: not the fleet's own states, and no state of others. */
export function isReportable(state: string): state is NodeState {
  return Object.hasOwn(standings, state) && state !== "ASSIGNED" && state !== "UNREACHED";
}

/**
 * The state after a report, for the same update; the same state when the report changes nothing. An
 * end stays, but for what a node alone can know: that it went back after all, or that it came to an end
 * which the fleet had not waited for. So a report that comes twice, late or from before counts once.
 */
export function stateAfter(current: NodeState, reported: NodeState): NodeState {
  if (isInProgress(current)) {
    // The node's own deadline: nothing was touched, so that nothing is said of the release.
    return reported === "TIMED_OUT" ? "UNREACHED" : reported;
  }
  const end = standings[reported];
  switch (current) {
    case "SUCCEEDED":
    case "ROLLBACK_FAILED":
      return reported === "ROLLED_BACK" || reported === "ROLLBACK_FAILED" ? reported : current;
    case "TIMED_OUT":
    case "UNREACHED":
    case "CANCELED":
      return end === "succeeded" || (end === "failed" && reported !== "TIMED_OUT")
        ? reported
        : current;
    default:
      return current;
  }
}
