/**
 * The only door to the machine. Every read goes through `files` under a root, every process
 * through `exec`, time through `clock`, chance through `random`; every change of the machine is an
 * *effect* with a number, so that a test can end the program at any of them.
 */
export interface Io {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  exec(request: ExecRequest): Promise<ExecResult>;
  /**
   * Numbers an effect that does not go through `files` or `exec` (a database write, a publish).
   * Call it immediately before the effect.
   */
  effect(name: string): void;
  /** Environment of the program; what a fake machine should not see is absent. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a path is. */
export type FileKind = "file" | "directory" | "link" | "block" | "other";

/** Of a path itself, links not followed. */
export interface FileStat {
  readonly kind: FileKind;
  /** Bytes. */
  readonly size: number;
  /** Permission bits, for example `0o644`. */
  readonly mode: number;
  /** Number of the user that it belongs to. */
  readonly uid: number;
  /** Milliseconds since 1970. */
  readonly modifiedMs: number;
}

/** Room on a file system. */
export interface FileSpace {
  readonly totalBytes: number;
  /** Bytes that root may still write. */
  readonly freeBytes: number;
  /** Bytes that any user may still write. */
  readonly availableBytes: number;
  /** Inodes; 0 on file systems that make them as they need them. */
  readonly totalInodes: number;
  readonly freeInodes: number;
  /** Which file system it is: the magic number of statfs(2). */
  readonly fileSystem: number;
}

/** A file or block device open for reading at any place. */
export interface RandomAccess {
  /** Bytes; of a block device what the kernel says it holds. */
  readonly size: number;
  /** Up to `length` bytes at `offset`; fewer only at the end. Throws `io/read-failed`. */
  read(offset: number, length: number): Uint8Array;
  close(): void;
}

/**
 * Files by absolute path inside the machine; links are followed inside the root, never out of it.
 * Synchronous: they are small, and a boot reads them one after another.
 */
export interface Files {
  /** Directory that is the machine's `/`; `/` on a real one. */
  readonly root: string;
  /**
   * The same files for what can be made again: changes are as atomic and as numbered, but nothing is
   * synced, so that a power cut may lose or empty what was written last.
   */
  readonly unsynced: Files;
  /** Where a path of the machine lies for the programs of this host. */
  hostPath(path: string): string;
  /** Bytes, or `undefined` when there is no such file. Throws `io/read-failed`, `io/too-large` (default limit 16 MiB). */
  read(path: string, options?: { readonly maxBytes?: number }): Uint8Array | undefined;
  /** UTF-8 text, as {@link Files.read}. */
  readText(path: string, options?: { readonly maxBytes?: number }): string | undefined;
  /** Names in a directory, sorted; empty when there is none. */
  list(path: string): readonly string[];
  stat(path: string): FileStat | undefined;
  /** Room on the file system of a path, or `undefined` when there is no such path. */
  space(path: string): FileSpace | undefined;
  /** Target of a link as written, or `undefined` when it is no link. */
  readLink(path: string): string | undefined;
  /** The path without links, or `undefined` when something on the way is missing. */
  realPath(path: string): string | undefined;
  /**
   * Opens a file or block device. With `size` (bytes, where the caller knows it from sysfs) a
   * device is not searched for its end. `exclusive` of a device: fails with EBUSY as the cause where
   * it is in use (mounted, or part of a set).
   */
  open(
    path: string,
    options?: { readonly size?: number; readonly exclusive?: boolean },
  ): RandomAccess;
  /** Whether this process may write to what is at `path`; no when there is nothing. */
  canWrite(path: string): boolean;
  /**
   * Replaces the file atomically and durably (temporary file, fsync, rename, fsync of the directory);
   * parents are made. Nothing below `/run` is synced: no power cut leaves anything of it. Effect.
   */
  write(path: string, data: string | Uint8Array, options?: { readonly mode?: number }): void;
  /**
   * Makes the file with its content if there is nothing at `path` yet, atomically and durably;
   * whether it did. Effect.
   */
  create(path: string, data: string | Uint8Array, options?: { readonly mode?: number }): boolean;
  /** Appends and fsyncs; creates the file (mode 0600) and its parents. Effect. */
  append(path: string, data: string | Uint8Array): void;
  /** Makes `path` a link to `target` atomically and durably, replacing a link or file. Effect. */
  link(target: string, path: string): void;
  /** Makes a directory and its parents (0755, whatever `mode` is); no error when it exists. Effect only if it does not. */
  makeDirectory(path: string, options?: { readonly mode?: number }): void;
  /** Renames durably, replacing what is there. Effect. */
  rename(from: string, to: string): void;
  /**
   * Removes a file, link or tree; no error when absent. With `overwrite` a file's bytes are
   * overwritten in place first. Effect only if present.
   */
  remove(path: string, options?: { readonly overwrite?: boolean }): void;
  /** fsyncs every file below a path and its directories: for trees written by other programs. Effect. */
  syncTree(path: string): void;
}

/** A process to run; its output is UTF-8, read whole up to a limit. */
export interface ExecRequest {
  /** Program, by name on the PATH or by path. */
  readonly file: string;
  readonly args: readonly string[];
  /** Added to the environment; `undefined` removes. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly stdin?: string | Uint8Array;
  /**
   * Deadline; then `stopSignal` to the whole process group, and after `graceMs` (default 5,000)
   * SIGKILL to the group and to everything that descends from the process.
   */
  readonly timeoutMs: number;
  /** What asks it to end (default SIGTERM). */
  readonly stopSignal?: "SIGTERM" | "SIGINT";
  readonly graceMs?: number;
  /** Bytes kept of each stream, the last ones (default 4 MiB). */
  readonly maxOutputBytes?: number;
  readonly signal?: AbortSignal;
  /** Each complete line as it comes, without its newline; of one longer than 1 MiB the beginning. */
  readonly onStdoutLine?: (line: string) => void;
  readonly onStderrLine?: (line: string) => void;
  /** Name of the effect when the process changes the machine; absent when it only reads. */
  readonly effect?: string;
}

/** How a process ended. A non-zero code is an answer, not an exception. */
export interface ExecResult {
  /** Exit code, or `null` when it died by a signal. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly aborted: boolean;
  /** Wall time. */
  readonly ms: number;
}

/** Time. A test's clock advances only when told to. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds that only grow, whatever the time of day is set to; the same for every process of one boot. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Chance. */
export interface Random {
  /** A version 4 UUID. */
  uuid(): string;
  bytes(length: number): Uint8Array;
}

/** An instant as RFC 3339 in UTC with milliseconds: `2026-01-31T12:00:00.000Z`. */
export function timestamp(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}

/** The kernel's id of this boot, or `unknown` where it gives none. */
export function readBootId(files: Files): string {
  return files.readText("/proc/sys/kernel/random/boot_id")?.trim() || "unknown";
}
