import type { Code } from "#core/codes.ts";

/** What stops a part from being merged. Thrown only while merging; outside it is a finding. */
export class MergeProblem extends Error {
  readonly code: Code;
  /** Where in the row of texts; `undefined` for the whole part. */
  readonly at: number | undefined;
  readonly hint: string;

  constructor(
    code: Code,
    message: string,
    { at, hint }: { readonly at?: number | undefined; readonly hint: string },
  ) {
    super(message);
    this.name = "MergeProblem";
    this.code = code;
    this.at = at;
    this.hint = hint;
  }
}
