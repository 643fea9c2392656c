/** What is known of a stream of events. Numbers begin at 1. */
export interface StreamState {
  /** Up to where nothing is missing but what the node has thinned out. */
  readonly upTo: number;
  readonly highest: number;
  /** The newest gap that the node told of; its numbers count from the beginning of the stream. */
  readonly gap: { readonly dropped: number; readonly first: number; readonly last: number } | null;
}

/** What is asked of the stored events. */
export interface StoredEvents {
  /** The stored numbers after one, in order, up to a limit. */
  after(seq: number, limit: number): Promise<readonly number[]>;
  /** How many are stored between two numbers, both included. */
  count(first: number, last: number): Promise<number>;
}

const batch = 1_000;

/**
 * Up to where events are acknowledged now. A hole is passed only where the node has said of as many
 * numbers as are missing that they were thinned out: with one missing beyond that, which one was lost
 * on the way is not known, so that none of them is passed and the node sends again.
 */
export async function acknowledgedUpTo(
  { upTo: before, highest, gap }: StreamState,
  stored: StoredEvents,
): Promise<number> {
  const explains = gap !== null && (await isExplained(gap, stored));
  let upTo = before;
  while (upTo < highest) {
    const next = await stored.after(upTo, batch);
    const start = upTo;
    for (const seq of next) {
      if (seq > upTo + 1 && !(explains && isInside(gap, upTo + 1, seq - 1))) return upTo;
      upTo = seq;
    }
    if (upTo === start || next.length < batch) break;
  }
  return upTo;
}

async function isExplained(
  { dropped, first, last }: NonNullable<StreamState["gap"]>,
  stored: StoredEvents,
): Promise<boolean> {
  const missing = last - first + 1 - (await stored.count(first, last));
  return missing <= dropped;
}

function isInside(gap: StreamState["gap"], first: number, last: number): boolean {
  return gap !== null && first >= gap.first && last <= gap.last;
}
