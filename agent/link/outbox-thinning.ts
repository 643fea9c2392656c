import type { DatabaseSync } from "node:sqlite";
import type { Gap } from "#generated/protocol/messages/gap.ts";
import { readMeta, writeMeta } from "./outbox-meta.ts";

/** What an outbox holds at most. */
export interface Bounds {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** Order of thinning: a gap that a newer one replaces, what another event repeats, the rest, how things ended. */
export const ranks = { gap: 0, thinnedFirst: 1, other: 2, outcome: 3 } as const;

/**
 * Outcomes do not count against the bounds, which are for what may go: they go only where they alone
 * are so many times as much, because a disk has an end.
 */
const outcomeFactor = 4;

/** What is left after thinning: with a tenth of room, one gap stands for many events. */
const thinnedTo = 0.9;

/**
 * Drops the least telling old events when the outbox is over its bounds; the gap that says exactly
 * how many since the stream began, or `undefined` when nothing had to go. Runs in the caller's
 * transaction.
 */
export function thin(database: DatabaseSync, bounds: Bounds): Gap | undefined {
  let { events, bytes } = held(database);
  if (events <= bounds.maxEvents && bytes <= bounds.maxBytes) return undefined;
  const gap = readGap(database);
  const remove = database.prepare("DELETE FROM event WHERE seq = ?");
  function removeUntil(which: string, keptEvents: number, keptBytes: number) {
    const select = `SELECT seq, kind, bytes FROM event WHERE ${which} ORDER BY rank, seq`;
    for (const row of database.prepare(select).all()) {
      if (events <= keptEvents && bytes <= keptBytes) break;
      remove.run(Number(row["seq"]));
      gap.add(Number(row["seq"]), String(row["kind"]));
      events -= 1;
      bytes -= Number(row["bytes"]);
    }
  }
  const { maxEvents, maxBytes } = bounds;
  // One less: the gap itself takes a place.
  const keptEvents = Math.max(0, Math.floor(maxEvents * thinnedTo) - 1);
  removeUntil(`rank < ${ranks.outcome}`, keptEvents, Math.floor(maxBytes * thinnedTo));
  removeUntil(`rank = ${ranks.outcome}`, maxEvents * outcomeFactor, maxBytes * outcomeFactor);
  if (!gap.isNew()) return undefined;
  const result = gap.result();
  writeMeta(database, "gap", JSON.stringify(result));
  return result;
}

function held(database: DatabaseSync): { events: number; bytes: number } {
  const row = database
    .prepare("SELECT count(*) AS events, coalesce(sum(bytes), 0) AS bytes FROM event")
    .get();
  return { events: Number(row?.["events"] ?? 0), bytes: Number(row?.["bytes"] ?? 0) };
}

/** The gap so far, counting on. */
function readGap(database: DatabaseSync) {
  const text = readMeta(database, "gap");
  const before = text === undefined ? undefined : (JSON.parse(text) as Gap);
  const byKind = new Map(Object.entries(before?.byKind ?? {}));
  let dropped = before?.dropped ?? 0;
  let firstSeq = before?.firstSeq ?? Number.POSITIVE_INFINITY;
  let lastSeq = before?.lastSeq ?? 0;
  return {
    isNew: () => dropped > (before?.dropped ?? 0),
    add(seq: number, kind: string) {
      dropped += 1;
      byKind.set(kind, (byKind.get(kind) ?? 0) + 1);
      firstSeq = Math.min(firstSeq, seq);
      lastSeq = Math.max(lastSeq, seq);
    },
    result: (): Gap => ({ dropped, byKind: Object.fromEntries(byKind), firstSeq, lastSeq }),
  };
}
