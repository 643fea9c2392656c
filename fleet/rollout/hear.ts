import { durationMs } from "#core/duration.ts";
import type { RolloutDefinition } from "#generated/fleet/rollout/definition.ts";
import { isInProgress, standingOf, stateAfter } from "./node-states.ts";
import type { Decision, NodeProgress, RolloutNode } from "./rollout.ts";

/** So often a node is started that lets its time go by without having begun. */
export const maxAttempts = 3;

const defaultTimeoutMs = 2 * 3_600_000;

/** What became of a node that was started. */
export interface Heard {
  readonly progress: NodeProgress;
  /** `undefined` when nothing has changed. */
  readonly decision?: Decision;
  /** When its time is over, if nothing more is heard; `null` when no time runs. */
  readonly dueMs: number | null;
}

/** How long a node may take. */
export function timeoutOf({ timeout }: RolloutDefinition): number {
  return durationMs(timeout, defaultTimeoutMs);
}

/**
 * Takes in what a node said last, and whether its time is over. What it says of any other update than
 * the one it was given here says nothing: neither the results of the release before, nor a guess.
 */
export function hear(
  { node, update }: RolloutNode,
  before: NodeProgress,
  { nowMs, timeoutMs }: { readonly nowMs: number; readonly timeoutMs: number },
): Heard {
  const heard =
    update?.updateId === before.updateId ? stateAfter(before.state, update.state) : before.state;
  const progress = heard === before.state ? before : moved(before, heard, nowMs);
  const standing = standingOf(progress.state);
  const timed = standing === "untouched" || standing === "begun";
  const dueMs = timed ? progress.activeMs + timeoutMs : null;
  if (dueMs !== null && nowMs >= dueMs) return late(node, progress, nowMs);
  if (progress === before) return { progress, dueMs };
  return { progress, dueMs, decision: { kind: "note", node, progress } };
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

/** Whoever had begun counts as failed: a machine that does not come back is the worst of failures. */
function late(node: string, before: NodeProgress, nowMs: number): Heard {
  const begun = standingOf(before.state) === "begun";
  const state = begun || before.attempt >= maxAttempts ? "TIMED_OUT" : "UNREACHED";
  const progress = moved(before, state, nowMs);
  return { progress, dueMs: null, decision: { kind: begun ? "note" : "withdraw", node, progress } };
}
