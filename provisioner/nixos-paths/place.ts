/** A place that a file of the spec cannot take, or where nothing would read it. */
export interface Place {
  readonly pattern: RegExp;
  readonly hint: string;
}

/** The place of all paths that are of a pattern from end to end. */
export function place(pattern: string, hint: string): Place {
  return { pattern: new RegExp(`^(?:${pattern})$`, "s"), hint };
}

/** What the first place that a path is of says to do instead. */
export function hintAt(places: readonly Place[], path: string): string | undefined {
  return places.find(({ pattern }) => pattern.test(path))?.hint;
}
