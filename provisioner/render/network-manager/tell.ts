import type { FindingLevel } from "#core/finding.ts";

/** What NetworkManager cannot say, or says otherwise. */
export interface Unsaid {
  /** In the spec. */
  readonly path: readonly string[];
  readonly message: string;
  readonly hint?: string;
  /** A warning when absent. */
  readonly level?: FindingLevel;
}

/** Takes note of what a profile does not say. */
export type Tell = (unsaid: Unsaid) => void;
