import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import { createFile, linkDirectory, makeLinkDirectory } from "./outbox-file.ts";

export const lockFile = `${linkDirectory}/link.lock`;

/** Held while one process of this node speaks to the broker under the node's client id. */
export interface LinkLock {
  release(): void;
}

/**
 * Takes the lock, or says that another process has it. It is SQLite's lock on a file of its own,
 * which the kernel gives back however the process ends. Throws `link/outbox-failed`, `link/outbox-foreign`.
 */
export async function takeLinkLock(io: Io): Promise<LinkLock | undefined> {
  const { DatabaseSync: Database } = process.getBuiltinModule("node:sqlite");
  try {
    makeLinkDirectory(io);
    if (io.files.stat(lockFile) === undefined) createFile(io, lockFile);
    const database = new Database(io.files.hostPath(lockFile), { timeout: 0 });
    try {
      database.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      database.close();
      if (isBusy(error)) return undefined;
      throw error;
    }
    return { release: () => database.close() };
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault("link/outbox-failed", `${lockFile}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function isBusy(error: unknown): boolean {
  return ((error as { errcode?: number }).errcode ?? 0) % 256 === 5; // SQLITE_BUSY
}
