import type { Code } from "#core/codes.ts";

/** A problem at a path of the spec. */
export interface SpecProblem {
  readonly path: readonly string[];
  /** Whether the key itself is what is wrong. */
  readonly target: "key" | "value";
  readonly code: Code;
  readonly message: string;
  readonly hint: string | null;
}
