import { sha256 } from "#core/canonical-json.ts";
import type { NodeProgress } from "./rollout.ts";

/**
 * The name of an update: the same for the same attempt, so that a decision which is made again after
 * a crash is the same decision. A node only ever hears its own.
 */
export function updateIdOf(
  rollout: string,
  node: string,
  { attempt, direction }: Pick<NodeProgress, "attempt" | "direction">,
): string {
  const digest = sha256(JSON.stringify([rollout, node, attempt, direction]));
  return `${rollout}.${direction === "back" ? "back" : "to"}${attempt}.${digest.slice(0, 16)}`;
}

/**
 * Where a node stands in the order of a rollout: by chance, but the same each time. FNV-1a with the
 * mixer of MurmurHash3 at its end, because neighbours in names must not be neighbours in the order.
 */
export function orderOf(rollout: string, node: string): number {
  let hash = 0x811c9dc5;
  for (const text of [rollout, "\0", node]) {
    for (let at = 0; at < text.length; at++) {
      hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    }
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
