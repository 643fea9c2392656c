import type { DatabaseSync } from "node:sqlite";
import { canonicalJson } from "#core/canonical-json.ts";
import { Fault, isFault } from "#core/fault.ts";
import { type Io, readBootId, timestamp } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { type EventKind, type EventRule, eventRules, type NewEvent } from "#protocol/events.ts";
import { fitEvent } from "#protocol/fit-event.ts";
import { maxMessageBytes } from "#protocol/message.ts";
import {
  type Damage,
  damageOf,
  inodeOf,
  moveAside,
  openDatabase,
  outboxFault,
  outboxFile,
} from "./outbox-file.ts";
import { readMeta, writeMeta } from "./outbox-meta.ts";
import { type Bounds, ranks, thin } from "./outbox-thinning.ts";
import { openSpool, type SpooledEvent } from "./spool.ts";

/** How much an outbox holds and where it lies. */
export interface OutboxOptions {
  readonly file?: string;
  /** Events kept at most (default 10,000). */
  readonly maxEvents?: number;
  /** Bytes of bodies kept at most (default 16 MiB). */
  readonly maxBytes?: number;
}

/** An event as it waits to be sent. */
export interface OutboxEvent {
  readonly seq: number;
  readonly id: string;
  readonly kind: string;
  readonly at: string;
  readonly bootId: string;
  readonly body: unknown;
}

/**
 * Events that wait until somebody has stored them: durable when `append` returns, numbered strictly
 * growing over restarts, shared by processes. Methods throw `link/outbox-failed` when the disk fails.
 */
export interface Outbox {
  /** Names the count of `seq`; a new one where the database had to be begun anew. */
  stream(): string;
  /** Appends all events in one transaction; their numbers, in order. Throws `link/event-too-large`, `secret/serialised`. */
  append(...events: readonly NewEvent[]): readonly number[];
  /** Takes in what the root side has left for this side since the last time; how many events. */
  takeSpooled(): number;
  /** The next events after a number, in order. */
  pending(afterSeq: number, limit: number): readonly OutboxEvent[];
  /** Forgets every event up to a number. A number that was never given out throws `link/message-refused`. */
  acknowledge(upTo: number): void;
  /** The highest number that was acknowledged, 0 at first. */
  acknowledged(): number;
  /** What waits; `bytes` are those of the bodies. */
  size(): { readonly events: number; readonly bytes: number };
  /** Counts a connection, for ever; the number names it in `status`. */
  nextSession(): number;
  /** Whether another process has written since the last call; the first call says no. */
  changed(): boolean;
  close(): void;
}

const defaultMaxEvents = 10_000;
const defaultMaxBytes = 16 * 1024 * 1024;
/** No body within the bounds of its schema reaches it, escapes counted; with its envelope it is a message that is taken. */
const maxEventBytes = maxMessageBytes - 8 * 1024;

/**
 * Opens the outbox. A damaged database, or one of a newer format, is moved aside, a new stream is
 * begun and its first event says so. Throws `link/outbox-failed`.
 */
export async function openOutbox(io: Io, log: Log, options: OutboxOptions = {}): Promise<Outbox> {
  const { DatabaseSync: Database } = process.getBuiltinModule("node:sqlite");
  return new SqliteOutbox(io, log, options, Database);
}

class SqliteOutbox implements Outbox {
  readonly #io: Io;
  readonly #log: Log;
  readonly #file: string;
  readonly #bounds: Bounds;
  readonly #Database: typeof DatabaseSync;
  #database: DatabaseSync;
  #inode: number;
  #dataVersion: number;

  constructor(io: Io, log: Log, options: OutboxOptions, Database: typeof DatabaseSync) {
    this.#io = io;
    this.#log = log;
    this.#file = options.file ?? outboxFile;
    this.#bounds = {
      maxEvents: options.maxEvents ?? defaultMaxEvents,
      maxBytes: options.maxBytes ?? defaultMaxBytes,
    };
    this.#Database = Database;
    [this.#database, this.#inode] = this.#open();
    this.#dataVersion = this.#readDataVersion();
  }

  stream(): string {
    return this.#run((database) => readMeta(database, "stream") ?? "");
  }

  append(...events: readonly NewEvent[]): readonly number[] {
    const rows = events.map(({ kind, body }) => ({
      ...this.#now(),
      kind,
      text: bodyText(kind, body),
    }));
    return rows.length === 0 ? [] : this.#appendRows(rows, undefined);
  }

  takeSpooled(): number {
    const spool = openSpool(this.#io.files, this.#log);
    const [name, number] = this.#run((database) => readMeta(database, "spooled"))?.split(" ") ?? [];
    let taken = 0;
    for (const file of spool.after(name === spool.name ? Number(number) : 0)) {
      const rows = file.events.flatMap((event) => this.#rowOf(event));
      this.#appendRows(rows, `${file.spool} ${file.number}`);
      taken += rows.length;
    }
    return taken;
  }

  #rowOf({ kind, body, ...rest }: SpooledEvent): readonly Row[] {
    try {
      if (isEventKind(kind)) return [{ ...rest, kind, text: bodyText(kind, body) }];
      this.#log.error("outbox.unknown-event", { kind });
    } catch (error) {
      if (!isFault(error, "link/event-too-large")) throw error;
      this.#log.error("outbox.event-too-large", { kind, message: error.message });
    }
    return [];
  }

  #now(): Pick<Row, "id" | "at" | "bootId"> {
    const { random, clock, files } = this.#io;
    return { id: random.uuid(), at: timestamp(clock), bootId: readBootId(files) };
  }

  /** All rows in one transaction, with how far the spool was taken. */
  #appendRows(rows: readonly Row[], spooled: string | undefined): readonly number[] {
    this.#io.effect(`outbox append ${rows.map(({ kind }) => kind).join(" ")}`);
    return this.#transaction((database) => {
      const seqs = rows.map((row) => this.#insert(database, row));
      if (spooled !== undefined) writeMeta(database, "spooled", spooled);
      const gap = thin(database, this.#bounds);
      if (gap !== undefined) {
        this.#insert(database, { ...this.#now(), kind: "gap", text: canonicalJson(gap) });
        this.#log.warning("outbox.thinned", { dropped: gap.dropped });
      }
      return seqs;
    });
  }

  pending(afterSeq: number, limit: number): readonly OutboxEvent[] {
    const select =
      "SELECT seq, id, kind, at, boot_id, body FROM event WHERE seq > ? ORDER BY seq LIMIT ?";
    return this.#run((database) =>
      database
        .prepare(select)
        .all(afterSeq, limit)
        .map((row) => ({
          seq: Number(row["seq"]),
          id: String(row["id"]),
          kind: String(row["kind"]),
          at: String(row["at"]),
          bootId: String(row["boot_id"]),
          body: JSON.parse(String(row["body"])) as unknown,
        })),
    );
  }

  acknowledge(upTo: number): void {
    this.#run((database) => {
      const last = lastSeq(database);
      if (upTo > last) {
        throw new Fault("link/message-refused", `ack up to ${upTo}: the last event is ${last}`);
      }
    });
    if (upTo <= this.acknowledged()) return;
    this.#io.effect(`outbox acknowledge ${upTo}`);
    this.#transaction((database) => {
      database.prepare("DELETE FROM event WHERE seq <= ?").run(upTo);
      writeMeta(database, "acknowledged", String(upTo));
    });
  }

  acknowledged(): number {
    return this.#run((database) => Number(readMeta(database, "acknowledged") ?? 0));
  }

  size(): { readonly events: number; readonly bytes: number } {
    const select = "SELECT count(*) AS events, coalesce(sum(bytes), 0) AS bytes FROM event";
    const row = this.#run((database) => database.prepare(select).get());
    return { events: Number(row?.["events"] ?? 0), bytes: Number(row?.["bytes"] ?? 0) };
  }

  nextSession(): number {
    this.#io.effect("outbox session");
    return this.#transaction((database) => {
      const session = Number(readMeta(database, "session") ?? 0) + 1;
      writeMeta(database, "session", String(session));
      return session;
    });
  }

  changed(): boolean {
    if (inodeOf(this.#io, this.#file) !== this.#inode) {
      // Another process moved it aside: what it began is ours too.
      this.close();
      [this.#database, this.#inode] = this.#open();
      this.#dataVersion = this.#readDataVersion();
      return true;
    }
    const version = this.#readDataVersion();
    const changed = version !== this.#dataVersion;
    this.#dataVersion = version;
    return changed;
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #insert(database: DatabaseSync, { id, kind, at, bootId, text }: Row): number {
    const insert =
      "INSERT INTO event (id, kind, at, boot_id, body, bytes, rank) VALUES (?, ?, ?, ?, ?, ?, ?)";
    const bytes = Buffer.byteLength(text);
    const result = database.prepare(insert).run(id, kind, at, bootId, text, bytes, rankOf(kind));
    return Number(result.lastInsertRowid);
  }

  #readDataVersion(): number {
    return this.#run((database) =>
      Number(database.prepare("PRAGMA data_version").get()?.["data_version"]),
    );
  }

  #open(): [DatabaseSync, number] {
    const opened = openDatabase(this.#io, this.#file, this.#Database);
    return "damage" in opened ? this.#beginAnew(opened.damage) : [opened.database, opened.inode];
  }

  #beginAnew(damage: Damage): [DatabaseSync, number] {
    const aside = moveAside(this.#io, this.#file);
    this.#log.error("outbox.damaged", { file: aside, message: damage.message });
    const opened = openDatabase(this.#io, this.#file, this.#Database);
    if ("damage" in opened)
      throw new Fault("link/outbox-failed", `${this.#file}: ${opened.damage.message}`);
    this.#io.effect("outbox append outbox.damaged");
    const { reason, message } = damage;
    const text = canonicalJson({ reason, file: aside, message });
    this.#insert(opened.database, { ...this.#now(), kind: "outbox.damaged", text });
    return [opened.database, opened.inode];
  }

  #transaction<T>(work: (database: DatabaseSync) => T): T {
    return this.#run((database) => {
      database.exec("BEGIN IMMEDIATE");
      try {
        const result = work(database);
        database.exec("COMMIT");
        return result;
      } catch (error) {
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    });
  }

  /** Does the work; once more on a new database when this one turns out to be damaged. */
  #run<T>(work: (database: DatabaseSync) => T): T {
    try {
      return work(this.#database);
    } catch (error) {
      const message = damageOf(error);
      if (message === undefined) throw outboxFault(error);
      this.close();
      [this.#database, this.#inode] = this.#beginAnew({ reason: "damaged", message });
    }
    try {
      return work(this.#database);
    } catch (error) {
      throw outboxFault(error);
    }
  }
}

/** An event on its way into the database. */
interface Row {
  readonly id: string;
  readonly kind: EventKind;
  readonly at: string;
  readonly bootId: string;
  /** Canonical JSON. */
  readonly text: string;
}

function isEventKind(kind: string): kind is EventKind {
  return Object.hasOwn(eventRules, kind);
}

function bodyText(kind: EventKind, body: unknown): string {
  const text = canonicalJson(fitEvent(body));
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxEventBytes) return text;
  throw new Fault(
    "link/event-too-large",
    `${kind}: ${bytes} bytes where at most ${maxEventBytes} are taken`,
  );
}

function rankOf(kind: EventKind): number {
  if (kind === "gap") return ranks.gap;
  const { thinnedFirst, outcome }: EventRule = eventRules[kind];
  if (outcome === true) return ranks.outcome;
  return thinnedFirst ? ranks.thinnedFirst : ranks.other;
}

function lastSeq(database: DatabaseSync): number {
  const select = "SELECT seq FROM sqlite_sequence WHERE name = 'event'";
  return Number(database.prepare(select).get()?.["seq"] ?? 0);
}
