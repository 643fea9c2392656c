import { watch } from "node:fs";
import path from "node:path";
import type { Io } from "#core/io.ts";
import { stateFile } from "../update/places.ts";
import { outboxFile } from "./outbox-file.ts";
import { spoolDirectory } from "./spool.ts";

/** Lets one waiter sleep until somebody has something for it; calls while it is awake are not lost. */
export interface Wake {
  call(): void;
  /** Resolves at the next call, or at once when there was one since the last wait. */
  next(): Promise<void>;
}

export function createWake(): Wake {
  let called = false;
  let waiter: (() => void) | undefined;
  return {
    call() {
      called = true;
      waiter?.();
    },
    async next() {
      if (!called) {
        await new Promise<void>((resolve) => {
          waiter = resolve;
        });
      }
      called = false;
      waiter = undefined;
    },
  };
}

/**
 * Calls when a process writes to the outbox, or the root side to its spool, or how far an update is: by the kernel's word, so
 * that waiting costs nothing. Where the kernel gives none (no watches left, no spool yet), the owner's
 * schedule must look; returns the end.
 */
export function watchOutbox(io: Io, call: () => void): () => void {
  const ends = [
    watchDirectory(
      io,
      { directory: path.posix.dirname(outboxFile), name: path.posix.basename(outboxFile) },
      call,
    ),
    watchDirectory(io, { directory: spoolDirectory, name: "" }, call),
    watchDirectory(
      io,
      { directory: path.posix.dirname(stateFile), name: path.posix.basename(stateFile) },
      call,
    ),
  ];
  return () => {
    for (const end of ends) end();
  };
}

interface Watched {
  readonly directory: string;
  /** How the names begin of the files that matter. */
  readonly name: string;
}

function watchDirectory(io: Io, { directory: place, name }: Watched, call: () => void): () => void {
  const directory = io.files.hostPath(place);
  try {
    const watcher = watch(directory, (_event, file) => {
      if (file === null || file.startsWith(name)) call();
    });
    watcher.on("error", () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => {};
  }
}
