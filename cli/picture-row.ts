/** One thing in a picture. */
export interface Row {
  readonly label: string;
  /** Texts side by side; each list begins a line of its own. */
  readonly lines: readonly (readonly string[])[];
  /** Whether it says that something is not known. */
  readonly isGap?: boolean;
}

export const notKnown = "not known";

export function row(label: string, ...lines: readonly (readonly string[])[]): Row {
  return { label, lines };
}

/** A thing of which nothing is known. */
export function gap(label: string, why = notKnown): Row {
  return { label, lines: [[why]], isGap: true };
}
