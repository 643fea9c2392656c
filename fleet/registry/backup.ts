import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { RegistryDatabase } from "./open-database.ts";
import type { Tables } from "./tables.ts";

/** Tables of a backup, in order, with what names a row. Who works now is nobody's business later. */
const keys = {
  node: ["fleet", "node"],
  report: ["fleet", "node", "topic"],
  stream: ["stream"],
  event: ["stream", "seq"],
  outcome: ["stream", "seq"],
  refusal: ["fleet", "node", "reason"],
  node_group: ["fleet", "name"],
  release: ["fleet", "name", "number"],
  rollout: ["fleet", "name"],
  rollout_node: ["fleet", "rollout", "node"],
  rollout_event: ["fleet", "rollout", "seq"],
  desired: ["fleet", "node"],
} as const satisfies Partial<Readonly<Record<keyof Tables, readonly string[]>>>;

type Kept = keyof typeof keys;
const tables = Object.keys(keys) as readonly Kept[];

const version = 1;
const rowsAtOnce = 500;

/**
 * Every row of a registry as lines of JSON, the same for either engine: a first line, one for each row, and a last
 * one with their number and digest. All of it is of one moment. Throws `registry/failed`.
 */
export async function* backupLines(database: RegistryDatabase): AsyncGenerator<string> {
  const lines = await database.snapshot(async (transaction) => {
    const all: string[] = [canonicalJson({ firstlight: "registry", v: version })];
    for (const table of tables) {
      let query = transaction.selectFrom(table as "node").selectAll();
      for (const column of keys[table]) query = query.orderBy(column as "node");
      for (const row of await query.execute()) all.push(canonicalJson({ table, row }));
    }
    return all;
  });
  yield* lines;
  yield canonicalJson({ rows: lines.length - 1, sha256: digestOf(lines) });
}

/**
 * Puts a backup into a registry that is empty, all or nothing. Throws `registry/backup-invalid`,
 * `registry/conflict` when there is something in it.
 */
export async function restore(
  database: RegistryDatabase,
  lines: readonly string[],
): Promise<number> {
  const rows = readRows(lines);
  await database.transaction(async (transaction) => {
    for (const table of tables) {
      const { count } = await transaction
        .selectFrom(table as "node")
        .select((of) => of.fn.countAll().as("count"))
        .executeTakeFirstOrThrow();
      if (Number(count) > 0)
        throw new Fault(
          "registry/conflict",
          `the registry is not empty: there are rows in ${table}`,
          {
            hint: "restore into a new one",
          },
        );
    }
    for (const table of tables) {
      const own = rows.filter((each) => each.table === table);
      for (let at = 0; at < own.length; at += rowsAtOnce) {
        await transaction
          .insertInto(table as "node")
          .values(own.slice(at, at + rowsAtOnce).map(({ row }) => row as unknown as Tables["node"]))
          .execute();
      }
    }
  });
  return rows.length;
}

interface Row {
  readonly table: Kept;
  readonly row: Readonly<Record<string, string | number | null>>;
}

function readRows(lines: readonly string[]): readonly Row[] {
  const refuse = (why: string, cause?: unknown): Fault =>
    new Fault("registry/backup-invalid", `backup: ${why}`, cause === undefined ? {} : { cause });
  const read = (line: string, number: number): unknown => {
    try {
      return JSON.parse(line);
    } catch (cause) {
      throw refuse(`line ${number} is no JSON`, cause);
    }
  };
  const first = read(lines[0] ?? "", 1) as {
    readonly firstlight?: unknown;
    readonly v?: unknown;
  } | null;
  if (first?.firstlight !== "registry") throw refuse("its first line is not that of a registry");
  if (first.v !== version) throw refuse(`its version is ${String(first.v)}, not ${version}`);
  const last = read(lines.at(-1) ?? "", lines.length) as {
    readonly rows?: unknown;
    readonly sha256?: unknown;
  };
  const content = lines.slice(0, -1);
  if (last?.rows !== content.length - 1)
    throw refuse(`it has ${content.length - 1} rows, and its last line says ${String(last?.rows)}`);
  if (last.sha256 !== digestOf(content)) throw refuse("its digest is not that of its last line");
  return content.slice(1).map((line, at) => {
    const row = read(line, at + 2) as Row;
    if (!Object.hasOwn(keys, row.table)) throw refuse(`line ${at + 2} is of an unknown table`);
    return row;
  });
}

function digestOf(lines: readonly string[]): string {
  return sha256(lines.join("\n"));
}
