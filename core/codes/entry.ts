/** What a code means and what to do about it, in plain sentences. */
export interface CodeEntry {
  /** What happened, in one sentence. */
  readonly means: string;
  /** What a person should do. */
  readonly action: string;
}

/** A room's part of the one table of codes; keys are `<area>/<what>`. */
export type CodeTable = Readonly<Record<string, CodeEntry>>;
