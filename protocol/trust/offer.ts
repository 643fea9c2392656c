/** What is offered to a node: the body of a message `desired`. Nothing of it is believed yet. */
export interface Offer {
  /** Links of the root chain, oldest first; those that the node knows are passed over. */
  readonly root?: readonly unknown[];
  /** Without it (and the three below) only the root chain is looked at. */
  readonly timestamp?: unknown;
  readonly snapshot?: unknown;
  readonly targets?: unknown;
  readonly director?: unknown;
  /** Metadata of builders by name. */
  readonly delegated?: Readonly<Record<string, unknown>>;
  /** Texts of targets, hashed as they came. */
  readonly documents?: Readonly<Record<string, string>>;
}
