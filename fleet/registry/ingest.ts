import type { Transaction } from "kysely";
import { canonicalJson } from "#core/canonical-json.ts";
import { isFault } from "#core/fault.ts";
import type { Envelope } from "#generated/protocol/messages/envelope.ts";
import { readNodeMessage } from "#protocol/read-node-message.ts";
import { type NodeAddress, type ParsedTopic, parseTopic, topicRules } from "#protocol/topics.ts";
import { type Acknowledgement, storeEvent, takeGet } from "./ingest-events.ts";
import { type Reported, takeReport } from "./ingest-reports.ts";
import type { RegistryDatabase } from "./open-database.ts";
import type { Tables } from "./tables.ts";

/** A message as it came from the broker. */
export interface Incoming {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** Who the broker says has sent it, where it says so. */
  readonly publisher?: NodeAddress;
}

/** Why a message was not taken. Each one is counted for the node whose topic it came on. */
export type Refusal =
  /** No topic of a node's own. */
  | "topic"
  /** Too large, no JSON, or not of the schema. */
  | "malformed"
  /** The broker says that another node has sent it. */
  | "impersonated"
  /** It is from an outbox that belongs to another node: a copied disk, or a forgery. */
  | "foreign-stream"
  /** The number of a message that was stored, with other content. */
  | "conflicting"
  /** No node of this fleet, or no more. */
  | "unknown-node"
  | "retired-node";

/** What became of a message. */
export type Ingested =
  | { readonly outcome: "stored"; readonly ack?: Acknowledgement; readonly changed?: Reported }
  /** Stored already: it came twice. */
  | { readonly outcome: "duplicate"; readonly ack?: Acknowledgement }
  /** Something newer is known: it came late, or from an outbox before the present one. */
  | { readonly outcome: "late" }
  /** The node asks for what is desired. */
  | { readonly outcome: "asked"; readonly ack: Acknowledgement; readonly body: unknown }
  | { readonly outcome: "refused"; readonly reason: Refusal };

/** Takes in what nodes say. */
export interface Ingest {
  /**
   * Resolves when the message is stored durably, or not to be. Messages that wait together are stored in
   * one transaction, in the order in which they came. The same message again changes nothing. Throws
   * `registry/failed`; then nothing was acknowledged, and the node sends again.
   */
  ingest(message: Incoming): Promise<Ingested>;
}

export interface IngestOptions {
  /** Whether a node that nobody has registered becomes one by its first message. */
  readonly admit: "known" | "any";
}

/** A message that was read, in the transaction that stores it. */
export interface Reading {
  readonly transaction: Transaction<Tables>;
  readonly address: NodeAddress;
  readonly topic: ParsedTopic;
  readonly envelope: Envelope;
  readonly nowMs: number;
  /** The outbox that the message is from, and the session where it has one. */
  readonly outbox: string;
  readonly session: number | null;
  /** Its number among those of the node; the highest one counts. */
  readonly outboxNumber: number;
  readonly newestOutbox: number;
}

/** Most messages of one transaction. */
const maxBatch = 256;

interface Waiting {
  readonly message: Incoming;
  readonly resolve: (ingested: Ingested) => void;
  readonly reject: (error: unknown) => void;
}

export function openIngest(database: RegistryDatabase, { admit }: IngestOptions): Ingest {
  const waiting: Waiting[] = [];
  let running = false;

  async function run(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, maxBatch);
      try {
        const read = await Promise.all(batch.map(({ message }) => readMessage(message)));
        const nowMs = await database.now();
        const done = await database.transaction(async (transaction) => {
          await lockNodes(database, transaction, read);
          const results: Ingested[] = [];
          for (const each of read) results.push(await take(transaction, each, { admit, nowMs }));
          return results;
        });
        batch.forEach(({ resolve }, at) => {
          resolve(done[at] as Ingested);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running = false;
  }

  return {
    ingest: (message) =>
      new Promise((resolve, reject) => {
        waiting.push({ message, resolve, reject });
        // Whoever comes in the same turn of the loop goes along.
        if (!running) setImmediate(() => running || void run());
      }),
  };
}

type Read =
  | { readonly topic: ParsedTopic; readonly envelope: Envelope }
  | { readonly topic: ParsedTopic | null; readonly refused: Refusal };

async function readMessage({ topic: name, payload, publisher }: Incoming): Promise<Read> {
  const topic = parseTopic(name);
  if (topic === undefined || topicRules[topic.name].direction !== "node-to-fleet")
    return { topic: null, refused: "topic" };
  if (publisher !== undefined && (publisher.fleet !== topic.fleet || publisher.node !== topic.node))
    return { topic, refused: "impersonated" };
  try {
    return { topic, envelope: await readNodeMessage(topic, payload) };
  } catch (error) {
    if (isFault(error, "link/message-refused")) return { topic, refused: "malformed" };
    throw error;
  }
}

/** Two servers that take in messages of the same nodes wait for each other, always in the same order. */
async function lockNodes(
  { engine }: RegistryDatabase,
  transaction: Transaction<Tables>,
  read: readonly Read[],
): Promise<void> {
  if (engine !== "postgresql") return;
  const keys = new Set(
    read.flatMap(({ topic }) => (topic === null ? [] : [`${topic.fleet}/${topic.node}`])),
  );
  for (const key of [...keys].sort()) {
    const [fleet = "", node = ""] = key.split("/");
    await transaction
      .selectFrom("node")
      .select("node")
      .where("fleet", "=", fleet)
      .where("node", "=", node)
      .forUpdate()
      .execute();
  }
}

async function take(
  transaction: Transaction<Tables>,
  read: Read,
  { admit, nowMs }: IngestOptions & { readonly nowMs: number },
): Promise<Ingested> {
  const { topic } = read;
  if (topic === null) return { outcome: "refused", reason: "topic" };
  const address = { fleet: topic.fleet, node: topic.node };
  const refuse = async (reason: Refusal): Promise<Ingested> => {
    await countRefusal(transaction, address, { reason, nowMs });
    return { outcome: "refused", reason };
  };
  if ("refused" in read) return refuse(read.refused);
  const node = await transaction
    .selectFrom("node")
    .select(["retired", "outbox"])
    .where("fleet", "=", address.fleet)
    .where("node", "=", address.node)
    .executeTakeFirst();
  if (node === undefined && admit === "known") return refuse("unknown-node");
  if (node?.retired === 1) return refuse("retired-node");
  const { envelope } = read;
  const [outbox = "", session] = envelope.stream.split("/");
  const isEvent = topic.name === "event";
  if (isEvent !== (session === undefined)) return refuse("malformed");
  if (isEvent && envelope.seq < 1) return refuse("malformed");
  if (node === undefined) await addNode(transaction, address, nowMs);
  const stream = await ownStream(transaction, address, outbox);
  if (stream === undefined) return refuse("foreign-stream");
  const reading: Reading = {
    ...{ transaction, address, topic, envelope, nowMs, outbox },
    ...{ session: session === undefined ? null : Number(session) },
    ...{ outboxNumber: stream.number, newestOutbox: stream.newest },
  };
  await transaction
    .updateTable("node")
    .set({ seen_ms: nowMs })
    .where("fleet", "=", address.fleet)
    .where("node", "=", address.node)
    .execute();
  const ingested = await (isEvent
    ? storeEvent(reading)
    : topic.name === "get"
      ? takeGet(reading)
      : takeReport(reading));
  return ingested.outcome === "refused" ? refuse(ingested.reason) : ingested;
}

async function addNode(
  transaction: Transaction<Tables>,
  { fleet, node }: NodeAddress,
  nowMs: number,
): Promise<void> {
  await transaction
    .insertInto("node")
    .values({
      ...{ fleet, node, joined_ms: nowMs, seen_ms: nowMs, labels: canonicalJson({}) },
      ...{ cordoned: 0, retired: 0, online: 0, update_seq: 0 },
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Binds an outbox to the node that first writes from it; `undefined` when it is another's. */
async function ownStream(
  transaction: Transaction<Tables>,
  { fleet, node }: NodeAddress,
  stream: string,
): Promise<{ readonly number: number; readonly newest: number } | undefined> {
  const numbers = await transaction
    .selectFrom("stream")
    .select((of) => of.fn.max("number").as("newest"))
    .where("fleet", "=", fleet)
    .where("node", "=", node)
    .executeTakeFirst();
  const newest = Number(numbers?.newest ?? 0);
  const find = () =>
    transaction
      .selectFrom("stream")
      .select(["fleet", "node", "number"])
      .where("stream", "=", stream)
      .executeTakeFirst();
  let found = await find();
  if (found === undefined) {
    await transaction
      .insertInto("stream")
      .values({
        ...{ stream, fleet, node, number: newest + 1, up_to: 0, highest: 0 },
        ...{ gap_seq: 0, gap_dropped: 0, gap_first: 0, gap_last: 0, lost: 0 },
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await transaction
      .updateTable("node")
      .set({ outbox: stream, update_seq: 0 })
      .where("fleet", "=", fleet)
      .where("node", "=", node)
      .execute();
    found = await find();
  }
  if (found === undefined || found.fleet !== fleet || found.node !== node) return undefined;
  return { number: found.number, newest: Math.max(newest, found.number) };
}

async function countRefusal(
  transaction: Transaction<Tables>,
  { fleet, node }: NodeAddress,
  { reason, nowMs }: { readonly reason: Refusal; readonly nowMs: number },
): Promise<void> {
  await transaction
    .insertInto("refusal")
    .values({ fleet, node, reason, count: 1, last_ms: nowMs })
    .onConflict((conflict) =>
      conflict.columns(["fleet", "node", "reason"]).doUpdateSet((of) => ({
        count: of("refusal.count", "+", 1),
        last_ms: nowMs,
      })),
    )
    .execute();
}
