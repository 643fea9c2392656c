import type { BuiltValue } from "../yaml-values.ts";
import { MergeProblem } from "./merge-problem.ts";

const maxNodes = 200_000;
const maxCharacters = 8 * 1024 * 1024;
const maxDepth = 100;
/** Entries that are copied while the parts of all documents are merged: two seconds of them. */
const maxWork = 1_000_000;

const hint = "write fewer or smaller parts";

/** What merging may take, for all parts together; a merged document is as large as one may be by itself. */
export class MergeLimits {
  #work = 0;

  /** Throws {@link MergeProblem} where this much more is too much. */
  spend(entries: number): void {
    this.#work += entries;
    if (this.#work <= maxWork) return;
    throw new MergeProblem("merge/too-large", "merging the parts takes too long", { hint });
  }

  /** Throws {@link MergeProblem} for a value that is larger or deeper than a document may be. */
  check({ nodes, characters, depth }: BuiltValue, at: number | undefined): void {
    if (nodes <= maxNodes && characters <= maxCharacters && depth <= maxDepth) return;
    const message =
      depth > maxDepth
        ? `what comes of merging is nested more than ${maxDepth} deep`
        : "what comes of merging is too large";
    throw new MergeProblem("merge/too-large", message, { at, hint });
  }
}
