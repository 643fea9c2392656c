import { backupLines, restore } from "./backup.ts";
import { type Ingest, type IngestOptions, openIngest } from "./ingest.ts";
import { acquireLease, type Lease, releaseLease } from "./lease.ts";
import { type Nodes, openNodes } from "./nodes.ts";
import { type Engine, type OpenOptions, openDatabase } from "./open-database.ts";
import { openRollouts, type Rollouts } from "./rollouts.ts";

/** Everything that a fleet knows: in one database, which several servers may share. */
export interface Registry extends Ingest {
  readonly engine: Engine;
  readonly nodes: Nodes;
  readonly rollouts: Rollouts;
  /** See {@link acquireLease}. */
  lease(name: string, holder: string, forMs: number): Promise<Lease | undefined>;
  giveBack(lease: Lease): Promise<void>;
  /** Every row as lines; see {@link backupLines}. */
  backup(): AsyncGenerator<string>;
  /** How many rows were put into an empty registry. */
  restore(lines: readonly string[]): Promise<number>;
  close(): Promise<void>;
}

/**
 * Opens a registry by its address: the path of a SQLite file, or `postgresql://…`. Throws
 * `registry/failed`, `registry/newer`.
 */
export async function openRegistry(
  address: string,
  options: OpenOptions & Partial<IngestOptions> = {},
): Promise<Registry> {
  const database = await openDatabase(address, options);
  const { ingest } = openIngest(database, { admit: options.admit ?? "known" });
  return {
    engine: database.engine,
    ingest,
    nodes: openNodes(database),
    rollouts: openRollouts(database),
    lease: (name, holder, forMs) => acquireLease(database, { name, holder, forMs }),
    giveBack: (lease) => releaseLease(database, lease),
    backup: () => backupLines(database),
    restore: (lines) => restore(database, lines),
    close: () => database.close(),
  };
}
