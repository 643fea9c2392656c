import type { Transaction } from "kysely";
import { canonicalJson } from "#core/canonical-json.ts";
import type { Code } from "#core/codes.ts";
import type { Gap } from "#generated/protocol/messages/gap.ts";
import type { Get } from "#generated/protocol/messages/get.ts";
import { acknowledgedUpTo } from "./acknowledge.ts";
import type { Ingested, Reading } from "./ingest.ts";
import type { NodeTable, StreamTable, Tables } from "./tables.ts";

/** What is to be sent to a node: its events up to this number are stored. */
export interface Acknowledgement {
  readonly fleet: string;
  readonly node: string;
  readonly stream: string;
  readonly upTo: number;
}

/** Events that say how something ended, and where in their body. */
const outcomeOf: Readonly<Record<string, string>> = {
  "boot.finished": "outcome",
  "trial.finished": "outcome",
  "update.changed": "to",
};

/** Ends of an update; what lies between them is no outcome. */
const updateEnds =
  /^(?:SUCCEEDED|REJECTED|FAILED|ROLLED_BACK|ROLLBACK_FAILED|CANCELED|TIMED_OUT|SUPERSEDED)$/;

/** A committed release that the node went back from, since its first boot did not come up. */
const bootFailed = "update/boot-failed" satisfies Code;

/** Stores an event, once. */
export async function storeEvent(reading: Reading): Promise<Ingested> {
  const { transaction, address, topic, envelope, nowMs, outbox } = reading;
  const { seq, id, at, body } = envelope;
  const text = canonicalJson(envelope.body);
  const kind = topic.parameter ?? "";
  const inserted = await transaction
    .insertInto("event")
    .values({ ...address, stream: outbox, seq, id, kind, at, received_ms: nowMs, body: text })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (Number(inserted.numInsertedOrUpdatedRows ?? 0) === 0) {
    const stored = await transaction
      .selectFrom("event")
      .select(["id", "kind", "body"])
      .where("stream", "=", outbox)
      .where("seq", "=", seq)
      .executeTakeFirstOrThrow();
    if (stored.id !== id || stored.kind !== kind || stored.body !== text)
      return { outcome: "refused", reason: "conflicting" };
    const { up_to } = await streamOf(transaction, outbox);
    return { outcome: "duplicate", ack: { ...address, stream: outbox, upTo: up_to } };
  }
  await keepOutcome(reading, kind, body);
  if (kind === "update.changed") await keepRelease(reading, body, "to");
  const stream = await streamOf(transaction, outbox);
  const known =
    kind === "gap" && seq > stream.gap_seq ? withGap(stream, seq, body as unknown as Gap) : stream;
  const upTo = await advance(transaction, { ...known, highest: Math.max(known.highest, seq) });
  return { outcome: "stored", ack: { ...address, stream: outbox, upTo } };
}

/**
 * A node that has connected says up to where it knows its events to be stored, and has let them go. What
 * of them is not here was lost with an older registry: it is counted, and waited for no more.
 */
export async function takeGet({
  transaction,
  address,
  envelope,
  outbox,
}: Reading): Promise<Ingested> {
  const body = envelope.body as unknown as Get;
  if (body.stream !== outbox) return { outcome: "refused", reason: "malformed" };
  const stream = await streamOf(transaction, outbox);
  const gone = await lostUpTo(transaction, stream, body.acknowledged);
  const upTo = await advance(transaction, {
    ...stream,
    up_to: Math.max(stream.up_to, body.acknowledged),
    highest: Math.max(stream.highest, body.acknowledged),
    lost: stream.lost + gone,
  });
  return { outcome: "asked", ack: { ...address, stream: outbox, upTo }, body };
}

async function lostUpTo(
  transaction: Transaction<Tables>,
  { stream, up_to }: StreamTable,
  acknowledged: number,
): Promise<number> {
  if (acknowledged <= up_to) return 0;
  return acknowledged - up_to - (await countEvents(transaction, stream, up_to + 1, acknowledged));
}

/** Writes a stream as it is now known; where its events are acknowledged up to. */
async function advance(transaction: Transaction<Tables>, known: StreamTable): Promise<number> {
  const { stream, up_to, highest, gap_seq, gap_dropped, gap_first, gap_last, lost } = known;
  const gap = gap_seq === 0 ? null : { dropped: gap_dropped, first: gap_first, last: gap_last };
  const upTo = await acknowledgedUpTo(
    { upTo: up_to, highest, gap },
    {
      async after(seq, limit) {
        const rows = await transaction
          .selectFrom("event")
          .select("seq")
          .where("stream", "=", stream)
          .where("seq", ">", seq)
          .orderBy("seq")
          .limit(limit)
          .execute();
        return rows.map((row) => row.seq);
      },
      count: (first, last) => countEvents(transaction, stream, first, last),
    },
  );
  await transaction
    .updateTable("stream")
    .set({ up_to: upTo, highest, gap_seq, gap_dropped, gap_first, gap_last, lost })
    .where("stream", "=", stream)
    .execute();
  return upTo;
}

async function countEvents(
  transaction: Transaction<Tables>,
  stream: string,
  first: number,
  last: number,
): Promise<number> {
  const counted = await transaction
    .selectFrom("event")
    .select((of) => of.fn.countAll().as("count"))
    .where("stream", "=", stream)
    .where("seq", ">=", first)
    .where("seq", "<=", last)
    .executeTakeFirstOrThrow();
  return Number(counted.count);
}

function withGap(
  stream: StreamTable,
  seq: number,
  { dropped, firstSeq, lastSeq }: Gap,
): StreamTable {
  return {
    ...stream,
    ...{ gap_seq: seq, gap_dropped: dropped, gap_first: firstSeq, gap_last: lastSeq },
  };
}

function streamOf(transaction: Transaction<Tables>, stream: string): Promise<StreamTable> {
  return transaction
    .selectFrom("stream")
    .selectAll()
    .where("stream", "=", stream)
    .executeTakeFirstOrThrow();
}

async function keepOutcome(
  { transaction, address, envelope, outbox }: Reading,
  kind: string,
  body: Readonly<Record<string, unknown>>,
): Promise<void> {
  const key = Object.hasOwn(outcomeOf, kind) ? outcomeOf[kind] : undefined;
  const outcome = key === undefined ? undefined : body[key];
  if (typeof outcome !== "string" || outcome.length > 64) return;
  if (kind === "update.changed" && !updateEnds.test(outcome)) return;
  const { seq, at } = envelope;
  const updateId = body["updateId"];
  await transaction
    .insertInto("outcome")
    .values({
      ...{ ...address, stream: outbox, seq, kind, at },
      outcome: plainText(outcome),
      update_id: typeof updateId === "string" ? plainText(updateId) : null,
    })
    .execute();
}

/**
 * The release that a node has committed, by whichever message says so first: its newest state may have
 * gone on to the next update before the topic was read. None where the first boot of what was committed did
 * not come up: the node is made from what was before then, and no message says what that is.
 */
export async function keepRelease(
  { transaction, address, outboxNumber, newestOutbox }: Reading,
  body: Readonly<Record<string, unknown>>,
  stateKey: "state" | "to",
): Promise<void> {
  const { seq } = body;
  const columns = releaseColumns(body, stateKey);
  if (columns === undefined || outboxNumber < newestOutbox) return;
  if (typeof seq !== "number" || !Number.isSafeInteger(seq) || seq < 1) return;
  await transaction
    .updateTable("node")
    .set({ ...columns, update_seq: seq })
    .where("fleet", "=", address.fleet)
    .where("node", "=", address.node)
    .where("update_seq", "<", seq)
    .execute();
}

/** What a change of an update says of the node's release; `undefined` when nothing. */
function releaseColumns(
  body: Readonly<Record<string, unknown>>,
  stateKey: "state" | "to",
): Pick<NodeTable, "release_name" | "release_number"> | undefined {
  const { release, number, code } = body;
  const state = body[stateKey];
  if (state === "ROLLED_BACK" && code === bootFailed)
    return { release_name: null, release_number: null };
  if (state !== "SUCCEEDED") return undefined;
  if (typeof release !== "string" || release.length > 256) return undefined;
  if (typeof number !== "number" || !Number.isSafeInteger(number)) return undefined;
  return { release_name: plainText(release), release_number: number };
}

/** A text of a node in a column of its own: without NUL and halves of characters, which not every engine holds. */
export function plainText(text: string): string {
  return text.toWellFormed().replaceAll(/\p{Cc}/gu, "\ufffd");
}
