import { maxAttempts } from "./hear.ts";
import { standingOf } from "./node-states.ts";
import type { Population } from "./population.ts";
import type { NodeProgress, Rollout, RolloutNode } from "./rollout.ts";
import { type Counts, hasPlace } from "./tally.ts";
import { updateIdOf } from "./update-id.ts";

/** Where going back stands. */
export interface Back {
  readonly inProgress: number;
  readonly done: number;
  /** Not taken back: what it had before is not known, or it failed again. */
  readonly stuck: number;
  /** Waits to be connected, or for a budget. */
  readonly waiting: number;
}

/** What going back does with a node. */
export interface BackInput {
  readonly rollout: Rollout;
  readonly nowMs: number;
  put(at: number, kind: "withdraw" | "assign", change: NodeProgress["state"] | NodeProgress): void;
}

/**
 * Takes back every node that has the release or may have it, under the same budgets, whatever the time of
 * day. Who has not begun is let go; who is in the middle comes to its end first; who failed has gone back
 * by itself.
 */
export function goBack(
  population: Population,
  progress: readonly (NodeProgress | null)[],
  counts: Counts,
  { rollout, nowMs, put }: BackInput,
): Back {
  const { maxInProgress = Number.POSITIVE_INFINITY } = rollout.definition;
  const back = { inProgress: 0, done: 0, stuck: 0, waiting: 0 };
  for (let at = 0; at < population.nodes.length; at++) {
    const before = progress[at] ?? null;
    if (before === null) continue;
    const node = population.nodes[at] as RolloutNode;
    switch (next(before)) {
      case "let-go":
        put(at, "withdraw", "CANCELED");
        break;
      case "in-progress":
        back.inProgress++;
        break;
      case "done":
        back.done++;
        break;
      case "stuck":
        back.stuck++;
        break;
      case "back":
        if (
          !node.online ||
          node.busy ||
          counts.inProgress >= maxInProgress ||
          !hasPlace(counts, population, at)
        )
          back.waiting++;
        else {
          put(at, "assign", startOf(rollout, node.node, before, nowMs));
          back.inProgress++;
        }
        break;
      case "nothing":
        break;
    }
  }
  return back;
}

function next({
  state,
  direction,
  attempt,
  from,
}: NodeProgress): "let-go" | "in-progress" | "done" | "stuck" | "back" | "nothing" {
  const standing = standingOf(state);
  if (direction === "back") {
    if (standing === "succeeded") return "done";
    if (standing === "failed") return "stuck";
    if (standing === "void") return attempt < maxAttempts ? "back" : "stuck";
    return "in-progress";
  }
  if (standing === "untouched" || standing === "waits") return "let-go";
  if (standing === "begun") return "in-progress";
  // Whose time was over may have the release, or be about to.
  if (standing === "succeeded" || state === "TIMED_OUT") return from === null ? "stuck" : "back";
  return "nothing";
}

function startOf(
  { definition }: Rollout,
  node: string,
  before: NodeProgress,
  nowMs: number,
): NodeProgress {
  const attempt = before.direction === "back" ? before.attempt + 1 : 1;
  const tries = { attempt, direction: "back" } as const;
  const updateId = updateIdOf(definition.name, node, tries);
  return { ...before, ...tries, updateId, state: "ASSIGNED", sinceMs: nowMs, activeMs: nowMs };
}
