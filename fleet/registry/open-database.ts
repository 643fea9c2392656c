import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import {
  type Dialect,
  Kysely,
  PostgresDialect,
  type SqliteDatabase,
  SqliteDialect,
  sql,
  type Transaction,
} from "kysely";
import { Migrator } from "kysely/migration";
import { describeFault, Fault, isFault } from "#core/fault.ts";
import { migrations } from "./migrations.ts";
import type { Tables } from "./tables.ts";

/** Which engine holds a registry. */
export type Engine = "sqlite" | "postgresql";

/** A registry's database, its tables up to date. */
export interface RegistryDatabase {
  readonly engine: Engine;
  readonly db: Kysely<Tables>;
  /** The time that all servers of this registry share, in milliseconds since 1970. */
  now(): Promise<number>;
  /**
   * All or nothing, written durably when it resolves. On PostgreSQL one that met another is begun again,
   * so that `work` may run more than once. Throws `registry/failed`.
   */
  transaction<T>(work: (transaction: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** The same for reading: everything is of one moment. */
  snapshot<T>(work: (transaction: Transaction<Tables>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Time for SQLite, where one machine has it alone. */
  readonly now?: () => number;
  /** Connections to PostgreSQL at most (default 8). */
  readonly maxConnections?: number;
  /** Called immediately before what a transaction has written becomes durable; see `Io.effect`. */
  readonly effect?: (name: string) => void;
}

const busyTimeoutMs = 10_000;
const maxTries = 10;
/** Serialisation failure and deadlock (https://www.postgresql.org/docs/15/errcodes-appendix.html). */
const transient = ["40001", "40P01"];

/**
 * Opens a registry by its address: the path of a SQLite file, which is made where there is none, or
 * `postgresql://…`. Throws `registry/failed`, `registry/newer`.
 */
export async function openDatabase(
  address: string,
  { now = Date.now, maxConnections = 8, effect = () => {} }: OpenOptions = {},
): Promise<RegistryDatabase> {
  const engine: Engine = /^postgres(ql)?:\/\//.test(address) ? "postgresql" : "sqlite";
  let db: Kysely<Tables> | undefined;
  try {
    const dialect =
      engine === "sqlite" ? sqliteDialect(address) : await postgresDialect(address, maxConnections);
    db = new Kysely<Tables>({ dialect });
    await migrate(db);
    return handle(db, engine, { now, effect });
  } catch (error) {
    await db?.destroy().catch(() => {});
    throw failed(error);
  }
}

function handle(
  db: Kysely<Tables>,
  engine: Engine,
  { now, effect }: Required<Pick<OpenOptions, "now" | "effect">>,
): RegistryDatabase {
  return {
    engine,
    db,
    async now() {
      if (engine === "sqlite") return now();
      const ms = sql<{
        ms: string;
      }>`select floor(extract(epoch from clock_timestamp()) * 1000) as ms`;
      const { rows } = await ms.execute(db).catch(rethrow);
      return Number(rows[0]?.ms);
    },
    async transaction(work) {
      for (let tries = 1; ; tries++) {
        try {
          return await db.transaction().execute(async (transaction) => {
            const result = await work(transaction);
            effect("registry commit");
            return result;
          });
        } catch (error) {
          const code = (error as { readonly code?: unknown } | null)?.code;
          if (tries < maxTries && typeof code === "string" && transient.includes(code)) continue;
          throw failed(error);
        }
      }
    },
    async snapshot(work) {
      const begin = db.transaction();
      const whole = engine === "sqlite" ? begin : begin.setIsolationLevel("repeatable read");
      return whole.execute(work).catch(rethrow);
    },
    close: () => db.destroy(),
  };
}

function rethrow(error: unknown): never {
  throw failed(error);
}

/** Any failure of the database as a fault; no address in it, which may hold a password. */
function failed(error: unknown): Fault {
  if (isFault(error)) return error;
  const { message } = describeFault(error);
  return new Fault("registry/failed", `registry: ${message}`, { cause: error });
}

async function migrate(db: Kysely<Tables>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw refuseNewer(error);
}

function refuseNewer(error: unknown): unknown {
  const { message } = describeFault(error);
  return message.startsWith("corrupted migrations")
    ? new Fault("registry/newer", `registry: ${message}`, { cause: error })
    : error;
}

/** WAL with synchronous FULL: what was committed survives a power cut. */
function sqliteDialect(file: string): Dialect {
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
  return new SqliteDialect({ database: forKysely(database) });
}

/**
 * `node:sqlite` in the form that Kysely knows. A transaction takes the right to write at its beginning:
 * one that read first could not write any more once another process has.
 */
function forKysely(database: DatabaseSync): SqliteDatabase {
  const values = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[];
  return {
    close: () => database.close(),
    prepare(text) {
      const statement = database.prepare(text === "begin" ? "begin immediate" : text);
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...values(parameters)),
        run: (parameters) => statement.run(...values(parameters)),
        iterate: (parameters) => statement.iterate(...values(parameters)),
      };
    },
  };
}

async function postgresDialect(address: string, max: number): Promise<Dialect> {
  const { default: pg } = await import("pg");
  const pool = new pg.Pool({
    connectionString: address,
    max,
    connectionTimeoutMillis: 10_000,
    types: {
      // bigint and numeric: all of ours are below 2^53.
      getTypeParser: (oid, format) =>
        oid === 20 || oid === 1700 ? (Number as never) : pg.types.getTypeParser(oid, format),
    },
  });
  // An idle connection that is cut is replaced by the next one.
  pool.on("error", () => {});
  return new PostgresDialect({ pool });
}
