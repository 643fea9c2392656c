import { type EndedTrial, sourcesOf } from "../ended-trials.ts";
import type { Declared } from "./report.ts";

/** What was committed last: what the machine should be. */
export function declaredNow(trials: readonly EndedTrial[]): Declared | null {
  const last = trials.findLast((trial) => trial.outcome === "committed");
  if (last === undefined) return null;
  const { closure } = last.attempt;
  return {
    generation: last.generation,
    toplevel: closure.toplevel,
    sourcesDigest: sourcesOf(trials, closure.toplevel),
    at: last.at,
    by: `${closure.reason.by}: ${closure.reason.why}`,
  };
}
