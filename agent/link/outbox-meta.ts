import type { DatabaseSync } from "node:sqlite";

/** What the outbox keeps beside its events. */
export type MetaKey = "stream" | "session" | "acknowledged" | "gap" | "spooled";

/** A value kept beside the events. */
export function readMeta(database: DatabaseSync, key: MetaKey): string | undefined {
  const row = database.prepare("SELECT value FROM meta WHERE key = ?").get(key);
  return row === undefined ? undefined : String(row["value"]);
}

/** Keeps a value beside the events, in the caller's transaction. */
export function writeMeta(database: DatabaseSync, key: MetaKey, value: string): void {
  database.prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)").run(key, value);
}
