/** One command to measure, and the floor that it is held against. */
export interface Case {
  readonly name: string;
  /** The command of the next run; may lay out something fresh, which is not measured. */
  readonly argv: () => readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Name of the case that is its floor. */
  readonly floor?: string;
}
