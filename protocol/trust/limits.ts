/** What is read at all; more than a fleet's metadata ever needs, and little for a node. */
export const trustLimits = {
  /** Of one offer, or of a command. */
  bytes: 256 * 1024,
  /** Objects and lists in one another. */
  depth: 24,
  /** Members of all objects and lists together. */
  members: 20_000,
  /** Links of a root chain in one offer; a longer chain comes in several. */
  rootChain: 256,
  /** Systems that a director may name for one node. */
  closures: 8,
  /** Documents that an offer may bring along. */
  documents: 4,
  /** How long a command may count. */
  commandMs: 300_000,
} as const;

/** What a reader of untrusted bytes takes. */
export interface ReadLimits {
  readonly bytes: number;
  readonly depth: number;
  readonly members: number;
}
