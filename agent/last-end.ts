import type { LastTrial, SystemStatus } from "#provisioner/system/system.ts";
import type { Outcome } from "./outcome.ts";

/**
 * The trial that ended after a boot or a change told how it went: of whoever died before it could tell,
 * and of a way back that came by itself. The journal decides; `undefined` where it says nothing newer,
 * and where it cannot be asked.
 */
export function endedSince(
  result: Pick<Outcome, "lastTrial" | "finishedAt"> | undefined,
  now: Pick<SystemStatus, "last"> | undefined,
): LastTrial | undefined {
  const last = now?.last ?? undefined;
  if (last === undefined || result === undefined) return last;
  const known = result.lastTrial ?? null;
  const isNewer = known === null ? last.at > result.finishedAt : last.transaction !== known;
  return isNewer ? last : undefined;
}
