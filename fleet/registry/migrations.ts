import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Every change of the tables, by name, in order. One that was released is never changed; a registry
 * that knows more than these was made by a newer firstlight.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  "0001-registry": { up: registry },
};

async function registry(db: Kysely<unknown>): Promise<void> {
  const table = (name: string) => db.schema.createTable(name);
  const text = "text";
  const number = "bigint";
  await table("node")
    .addColumn("fleet", text, (column) => column.notNull())
    .addColumn("node", text, (column) => column.notNull())
    .addColumn("joined_ms", number, (column) => column.notNull())
    .addColumn("seen_ms", number, (column) => column.notNull())
    .addColumn("labels", text, (column) => column.notNull())
    .addColumn("cordoned", number, (column) => column.notNull())
    .addColumn("retired", number, (column) => column.notNull())
    .addColumn("online", number, (column) => column.notNull())
    .addColumn("outbox", text)
    .addColumn("agent", text)
    .addColumn("platform", text)
    .addColumn("hardware", text)
    .addColumn("datasource", text)
    .addColumn("facts_digest", text)
    .addColumn("timezone", text)
    .addColumn("update_id", text)
    .addColumn("update_state", text)
    .addColumn("update_seq", number, (column) => column.notNull())
    .addColumn("release_name", text)
    .addColumn("release_number", number)
    .addPrimaryKeyConstraint("node_key", ["fleet", "node"])
    .execute();
  await table("report")
    .addColumn("fleet", text, (column) => column.notNull())
    .addColumn("node", text, (column) => column.notNull())
    .addColumn("topic", text, (column) => column.notNull())
    .addColumn("outbox", text, (column) => column.notNull())
    .addColumn("session", number, (column) => column.notNull())
    .addColumn("seq", number, (column) => column.notNull())
    .addColumn("received_ms", number, (column) => column.notNull())
    .addColumn("body", text, (column) => column.notNull())
    .addPrimaryKeyConstraint("report_key", ["fleet", "node", "topic"])
    .execute();
  await table("stream")
    .addColumn("stream", text, (column) => column.primaryKey())
    .addColumn("fleet", text, (column) => column.notNull())
    .addColumn("node", text, (column) => column.notNull())
    .addColumn("number", number, (column) => column.notNull())
    .addColumn("up_to", number, (column) => column.notNull())
    .addColumn("highest", number, (column) => column.notNull())
    .addColumn("gap_seq", number, (column) => column.notNull())
    .addColumn("gap_dropped", number, (column) => column.notNull())
    .addColumn("gap_first", number, (column) => column.notNull())
    .addColumn("gap_last", number, (column) => column.notNull())
    .addColumn("lost", number, (column) => column.notNull())
    .execute();
  await index(db, "stream", "stream_of_node", ["fleet", "node", "number"]);
  await table("event")
    .addColumn("stream", text, (column) => column.notNull())
    .addColumn("seq", number, (column) => column.notNull())
    .addColumn("fleet", text, (column) => column.notNull())
    .addColumn("node", text, (column) => column.notNull())
    .addColumn("id", text, (column) => column.notNull())
    .addColumn("kind", text, (column) => column.notNull())
    .addColumn("at", text, (column) => column.notNull())
    .addColumn("received_ms", number, (column) => column.notNull())
    .addColumn("body", text, (column) => column.notNull())
    .addPrimaryKeyConstraint("event_key", ["stream", "seq"])
    .execute();
  await index(db, "event", "event_of_node", ["fleet", "node", "received_ms"]);
  await table("outcome")
    .addColumn("stream", text, (column) => column.notNull())
    .addColumn("seq", number, (column) => column.notNull())
    .addColumn("fleet", text, (column) => column.notNull())
    .addColumn("node", text, (column) => column.notNull())
    .addColumn("kind", text, (column) => column.notNull())
    .addColumn("outcome", text, (column) => column.notNull())
    .addColumn("at", text, (column) => column.notNull())
    .addColumn("update_id", text)
    .addPrimaryKeyConstraint("outcome_key", ["stream", "seq"])
    .execute();
  await index(db, "outcome", "outcome_of_node", ["fleet", "node"]);
  await table("refusal")
    .addColumn("fleet", text, (column) => column.notNull())
    .addColumn("node", text, (column) => column.notNull())
    .addColumn("reason", text, (column) => column.notNull())
    .addColumn("count", number, (column) => column.notNull())
    .addColumn("last_ms", number, (column) => column.notNull())
    .addPrimaryKeyConstraint("refusal_key", ["fleet", "node", "reason"])
    .execute();
  await table("node_group")
    .addColumn("fleet", text, (column) => column.notNull())
    .addColumn("name", text, (column) => column.notNull())
    .addColumn("selector", text, (column) => column.notNull())
    .addPrimaryKeyConstraint("node_group_key", ["fleet", "name"])
    .execute();
  await table("release")
    .addColumn("fleet", text, (column) => column.notNull())
    .addColumn("name", text, (column) => column.notNull())
    .addColumn("number", number, (column) => column.notNull())
    .addColumn("sha256", text, (column) => column.notNull())
    .addColumn("document", text, (column) => column.notNull())
    .addColumn("added_ms", number, (column) => column.notNull())
    .addPrimaryKeyConstraint("release_key", ["fleet", "name", "number"])
    .execute();
  await table("rollout")
    .addColumn("fleet", text, (column) => column.notNull())
    .addColumn("name", text, (column) => column.notNull())
    .addColumn("revision", number, (column) => column.notNull())
    .addColumn("live", number, (column) => column.notNull())
    .addColumn("header", text, (column) => column.notNull())
    .addColumn("started_ms", number, (column) => column.notNull())
    .addPrimaryKeyConstraint("rollout_key", ["fleet", "name"])
    .execute();
  await table("rollout_node")
    .addColumn("fleet", text, (column) => column.notNull())
    .addColumn("rollout", text, (column) => column.notNull())
    .addColumn("node", text, (column) => column.notNull())
    .addColumn("wave", number, (column) => column.notNull())
    .addColumn("direction", text, (column) => column.notNull())
    .addColumn("update_id", text, (column) => column.notNull())
    .addColumn("attempt", number, (column) => column.notNull())
    .addColumn("state", text, (column) => column.notNull())
    .addColumn("since_ms", number, (column) => column.notNull())
    .addColumn("active_ms", number, (column) => column.notNull())
    .addColumn("from_name", text)
    .addColumn("from_number", number)
    .addPrimaryKeyConstraint("rollout_node_key", ["fleet", "rollout", "node"])
    .execute();
  await table("rollout_event")
    .addColumn("fleet", text, (column) => column.notNull())
    .addColumn("rollout", text, (column) => column.notNull())
    .addColumn("seq", number, (column) => column.notNull())
    .addColumn("at_ms", number, (column) => column.notNull())
    .addColumn("body", text, (column) => column.notNull())
    .addPrimaryKeyConstraint("rollout_event_key", ["fleet", "rollout", "seq"])
    .execute();
  await table("desired")
    .addColumn("fleet", text, (column) => column.notNull())
    .addColumn("node", text, (column) => column.notNull())
    .addColumn("revision", number, (column) => column.notNull())
    .addColumn("published", number, (column) => column.notNull())
    .addColumn("rollout", text, (column) => column.notNull())
    .addColumn("update_id", text)
    .addColumn("release_name", text)
    .addColumn("release_number", number)
    .addColumn("urgent", number, (column) => column.notNull())
    .addColumn("at_ms", number, (column) => column.notNull())
    .addPrimaryKeyConstraint("desired_key", ["fleet", "node"])
    .execute();
  await table("lease")
    .addColumn("name", text, (column) => column.primaryKey())
    .addColumn("holder", text, (column) => column.notNull())
    .addColumn("token", number, (column) => column.notNull())
    .addColumn("until_ms", number, (column) => column.notNull())
    .execute();
}

async function index(
  db: Kysely<unknown>,
  on: string,
  name: string,
  columns: readonly string[],
): Promise<void> {
  await db.schema
    .createIndex(name)
    .on(on)
    .columns([...columns])
    .execute();
}
