import { canonicalJson } from "#core/canonical-json.ts";
import type { About } from "#generated/protocol/messages/about.ts";
import type { Status } from "#generated/protocol/messages/status.ts";
import { isReportable } from "../rollout/node-states.ts";
import type { Ingested, Reading } from "./ingest.ts";
import { keepRelease, plainText } from "./ingest-events.ts";
import type { NodeTable } from "./tables.ts";

/** What a message has changed of a node, for who acts on it at once. */
export interface Reported {
  readonly fleet: string;
  readonly node: string;
  readonly topic: string;
}

/** A last will is written before its session begins, with the number 0, and is the last word of it. */
const afterAll = Number.MAX_SAFE_INTEGER;

/**
 * Keeps the newest message on a topic. Of one outbox the later session and the higher number is newer; an
 * outbox that appeared later is newer than one before.
 */
export async function takeReport(reading: Reading): Promise<Ingested> {
  const { transaction, address, topic, envelope, nowMs, outbox, session } = reading;
  if (reading.outboxNumber < reading.newestOutbox) return { outcome: "late" };
  if (session === null) return { outcome: "refused", reason: "malformed" };
  const { expiresAt } = envelope;
  if (expiresAt !== undefined && Date.parse(expiresAt) <= nowMs) return { outcome: "late" };
  const columns = columnsOf(reading);
  if (columns === undefined) return { outcome: "refused", reason: "malformed" };
  const seq = envelope.seq === 0 ? afterAll : envelope.seq;
  const before = await transaction
    .selectFrom("report")
    .select(["outbox", "session", "seq"])
    .where("fleet", "=", address.fleet)
    .where("node", "=", address.node)
    .where("topic", "=", topic.name)
    .executeTakeFirst();
  if (before?.outbox === outbox) {
    const order = session - before.session || seq - before.seq;
    if (order === 0) return { outcome: "duplicate" };
    if (order < 0) return { outcome: "late" };
  }
  const row = { outbox, session, seq, received_ms: nowMs, body: canonicalJson(envelope.body) };
  await transaction
    .insertInto("report")
    .values({ ...address, topic: topic.name, ...row })
    .onConflict((conflict) => conflict.columns(["fleet", "node", "topic"]).doUpdateSet(row))
    .execute();
  if (Object.keys(columns).length > 0) {
    await transaction
      .updateTable("node")
      .set(columns)
      .where("fleet", "=", address.fleet)
      .where("node", "=", address.node)
      .execute();
  }
  if (topic.name === "update") await keepRelease(reading, envelope.body, "state");
  return { outcome: "stored", changed: { ...address, topic: topic.name } };
}

/** What of a message stands with the node, so that it can be selected; `undefined` when it does not fit. */
function columnsOf({ topic, envelope, session }: Reading): Partial<NodeTable> | undefined {
  switch (topic.name) {
    case "status": {
      const body = envelope.body as unknown as Status;
      return body.session === session ? { online: body.online ? 1 : 0 } : undefined;
    }
    case "about": {
      const body = envelope.body as unknown as About;
      return {
        agent: plainText(body.agent),
        platform: plainText(body.platform),
        hardware: body.profile === undefined ? null : plainText(body.profile.id),
        datasource: body.datasource === undefined ? null : plainText(body.datasource.name),
        facts_digest: body.factsDigest === undefined ? null : plainText(body.factsDigest),
      };
    }
    case "update":
      return updateColumns(envelope.body);
    default:
      return {};
  }
}

function updateColumns(body: Readonly<Record<string, unknown>>): Partial<NodeTable> | undefined {
  const { state, updateId } = body;
  if (state === "IDLE") return {};
  if (typeof state !== "string" || !isReportable(state)) return undefined;
  if (typeof updateId !== "string" || updateId.length > 256) return undefined;
  return { update_id: plainText(updateId), update_state: state };
}
