import { durationMs } from "#core/duration.ts";
import type { RolloutDefinition } from "#generated/fleet/rollout/definition.ts";
import { isInProgress, standingOf, stateAfter } from "./node-states.ts";
import type { Decision, NodeProgress, RolloutNode } from "./rollout.ts";

/** So often a node is started that lets its time go by without having begun. */
export const maxAttempts = 3;

const defaultTimeoutMs = 2 * 3_600_000;

/** How long a node may take. */
export function timeoutOf({ timeout }: RolloutDefinition): number {
  return durationMs(timeout, defaultTimeoutMs);
}

/**
 * Takes in what a node said last; the same object when that changes nothing. What it says of any other
 * update than the one it was given here says nothing: neither the results of the release before, nor a
 * guess.
 */
export function hear({ update }: RolloutNode, before: NodeProgress, nowMs: number): NodeProgress {
  if (update === null || update.state === before.state || update.updateId !== before.updateId)
    return before;
  const state = stateAfter(before.state, update.state);
  return state === before.state ? before : moved(before, state, nowMs);
}

/** The same in another state. */
export function moved(
  before: NodeProgress,
  state: NodeProgress["state"],
  nowMs: number,
): NodeProgress {
  const waited = standingOf(before.state) === "waits" && isInProgress(state);
  return { ...before, state, sinceMs: nowMs, activeMs: waited ? nowMs : before.activeMs };
}

/**
 * A node whose time is over. Whoever had begun counts as failed: a machine that does not come back is the
 * worst of failures. Whoever had not is let go, and so often tried again.
 */
export function late(node: string, before: NodeProgress, nowMs: number): Decision {
  const begun = standingOf(before.state) === "begun";
  const state = begun || before.attempt >= maxAttempts ? "TIMED_OUT" : "UNREACHED";
  return { kind: begun ? "note" : "withdraw", node, progress: moved(before, state, nowMs) };
}
