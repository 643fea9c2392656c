import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  statSync,
} from "node:fs";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { Fault } from "#core/fault.ts";
import { type Io, timestamp } from "#core/io.ts";

/** State of the network side, apart from the root side's `/var/lib/firstlight`. */
export const linkDirectory = "/var/lib/firstlight-agent";
export const outboxFile = `${linkDirectory}/outbox.db`;

/** Format of the database, as its `user_version`. */
const formatVersion = 1;
const busyTimeoutMs = 5_000;
const keptDamagedFiles = 3;

const tables = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, kind TEXT NOT NULL, at TEXT NOT NULL,
    boot_id TEXT NOT NULL, body TEXT NOT NULL, bytes INTEGER NOT NULL, rank INTEGER NOT NULL
  );
  CREATE INDEX event_by_rank ON event (rank, seq, bytes);
  PRAGMA user_version = ${formatVersion};
`;

/** Why a database cannot be used, though the machine's files can. */
export interface Damage {
  readonly reason: "damaged" | "newer";
  readonly message: string;
}

/** An open database, or what is wrong with the one that is there. */
export type Opened =
  | { readonly database: DatabaseSync; readonly inode: number }
  | { readonly damage: Damage };

/**
 * Opens the outbox's database and makes it when there is none: WAL with synchronous FULL (one
 * fsync a commit, and a commit that returned survives a power cut). The file is 0600; SQLite gives its
 * journals the same mode. `Database` is handed in because `node:sqlite` is loaded late. Throws
 * `link/outbox-failed`, `link/outbox-foreign`.
 */
export function openDatabase(io: Io, file: string, Database: typeof DatabaseSync): Opened {
  try {
    makeLinkDirectory(io, path.posix.dirname(file));
    const strange = prepareFile(io, file);
    if (strange !== undefined) return { damage: { reason: "damaged", message: strange } };
    const host = io.files.hostPath(file);
    const database = new Database(host, { timeout: busyTimeoutMs });
    try {
      const damage = prepareTables(io, database);
      if (damage === undefined) return { database, inode: statSync(host).ino };
      database.close();
      return { damage };
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    const message = damageOf(error);
    if (message !== undefined) return { damage: { reason: "damaged", message } };
    throw outboxFault(error);
  }
}

/**
 * Makes the directory of the network side's state. Root opens nothing in one that belongs to another
 * user: a database can hold what never ends. Throws `link/outbox-foreign`.
 */
export function makeLinkDirectory(io: Io, directory = linkDirectory): void {
  io.files.makeDirectory(directory, { mode: 0o700 });
  const { uid } = statSync(io.files.hostPath(directory));
  if (process.geteuid?.() !== 0 || uid === 0) return;
  throw new Fault("link/outbox-foreign", `${directory} belongs to the user ${uid}, not to root`);
}

/** Moves the database and its journals aside, journals first: a journal alone must never meet a new database. */
export function moveAside(io: Io, file: string): string {
  const stamp = timestamp(io.clock).replaceAll(/[-:]/g, "");
  const aside = `${file}.damaged-${stamp}`;
  for (const part of ["-wal", "-shm", ""]) {
    if (io.files.stat(file + part) !== undefined) io.files.rename(file + part, aside + part);
  }
  const directory = path.posix.dirname(file);
  const prefix = `${path.posix.basename(file)}.damaged-`;
  const databases = io.files
    .list(directory)
    .filter((name) => name.startsWith(prefix) && !/-(wal|shm)$/.test(name));
  for (const name of databases.slice(0, -keptDamagedFiles)) {
    for (const part of ["-wal", "-shm", ""]) io.files.remove(`${directory}/${name}${part}`);
  }
  return aside;
}

/** Inode of the database that the path names now, or `undefined` when there is none. */
export function inodeOf(io: Io, file: string): number | undefined {
  return lstatSync(io.files.hostPath(file), { throwIfNoEntry: false })?.ino;
}

/**
 * What was said when the content of the file is at fault, else `undefined`: SQLITE_CORRUPT,
 * SQLITE_NOTADB, or a body that is no JSON (SQLite keeps no checksum of its pages).
 */
export function damageOf(error: unknown): string | undefined {
  if (error instanceof SyntaxError) return `a body is no JSON: ${error.message}`;
  const primary = sqliteCode(error);
  return primary === 11 || primary === 26 ? (error as Error).message : undefined;
}

/** Any failure of the database as a fault. */
export function outboxFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Fault("link/outbox-failed", `outbox: ${message}`, { cause: error });
}

function prepareFile(io: Io, file: string): string | undefined {
  const stat = io.files.stat(file);
  if (stat === undefined) return createFile(io, file);
  return stat.kind === "file" ? undefined : `is a ${stat.kind}, not a file`;
}

/** Creates an empty file, 0600; no error when it is there already. */
export function createFile(io: Io, file: string): undefined {
  io.effect("outbox create");
  const host = io.files.hostPath(file);
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    const fd = openSync(host, flags, 0o600);
    try {
      fchmodSync(fd, 0o600);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    // Another process of ours was quicker.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function prepareTables(io: Io, database: DatabaseSync): Damage | undefined {
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
  const version = readVersion(database);
  if (version > formatVersion) {
    return {
      reason: "newer",
      message: `made by a newer firstlight (format ${version}, known is ${formatVersion})`,
    };
  }
  if (version === 0) {
    io.effect("outbox tables");
    database.exec("BEGIN IMMEDIATE");
    // Once more inside the transaction: another process may have made them meanwhile.
    if (readVersion(database) === 0) {
      database.exec(tables);
      database.prepare("INSERT INTO meta VALUES ('stream', ?)").run(io.random.uuid());
    }
    database.exec("COMMIT");
  }
  try {
    database
      .prepare(
        "SELECT seq, id, kind, at, boot_id, body, bytes, rank, value FROM event, meta LIMIT 0",
      )
      .all();
    return undefined;
  } catch (error) {
    if (sqliteCode(error) === 1) return { reason: "damaged", message: (error as Error).message };
    throw error;
  }
}

function readVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
}

function sqliteCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code & 0xff : undefined;
}
