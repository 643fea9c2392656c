import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  type StatsFs,
  statfsSync,
  statSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { Fault } from "./fault.ts";
import type { FileKind, FileSpace, FileStat, Files, RandomAccess } from "./io.ts";
import { linkTarget, type RootPaths, rootPaths } from "./root-paths.ts";

const defaultMaxBytes = 16 * 1024 * 1024;
const firstBytes = 4000; // most files are smaller, and a buffer of this size comes out of Node's pool

/** {@link Files} on this host below `root`; `effect` is called before each change. */
export function hostFiles(root: string, effect: (name: string) => void): Files {
  const base = path.resolve(root);
  return openFiles({
    base,
    effect,
    sync: syncBelow(base),
    sequence: { next: 0 },
    paths: rootPaths(base),
  });
}

/** How changes reach the disk. */
interface Sync {
  readonly file: (fd: number, host: string) => void;
  readonly directory: (host: string) => void;
}

/** No power cut leaves anything of `/run`: it lies in memory. */
function syncBelow(base: string): Sync {
  const run = path.join(base, "run");
  const lasts = (host: string) => host !== run && !host.startsWith(`${run}/`);
  return {
    file: (fd, host) => lasts(host) && fsyncSync(fd),
    directory: (host) => lasts(host) && syncDirectory(host),
  };
}

const unsynced: Sync = { file: () => {}, directory: () => {} };

interface FilesOptions {
  /** The root, as an absolute path of this host. */
  readonly base: string;
  readonly effect: (name: string) => void;
  readonly sync: Sync;
  /** Of the names of temporary files. */
  readonly sequence: { next: number };
  readonly paths: RootPaths;
}

function openFiles(options: FilesOptions): Files {
  const { base, effect, sync, sequence } = options;
  const { locate, forget } = options.paths;

  function attempt<T>(kind: "read" | "write", file: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (error instanceof Fault) throw error;
      throw new Fault(`io/${kind}-failed`, `${file}: ${reason(error)}`, { cause: error });
    }
  }

  function ifPresent<T>(file: string, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (isAbsent(error)) return undefined;
      if (error instanceof Fault) throw error;
      throw new Fault("io/read-failed", `${file}: ${reason(error)}`, { cause: error });
    }
  }

  /** Most files are no links: to open it saves the look whether it is one. */
  function openFile(file: string): number {
    const flags = constants.O_RDONLY | constants.O_NONBLOCK;
    try {
      return openSync(locate(file, false), flags | constants.O_NOFOLLOW);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ELOOP") throw error;
      return openSync(locate(file, true), flags);
    }
  }

  function temporaryName(host: string): string {
    sequence.next += 1;
    return `${path.dirname(host)}/.${path.basename(host)}.${process.pid}.${sequence.next}.tmp`;
  }

  function makeParents(file: string): string {
    const host = locate(file, false);
    makeDirectories(path.dirname(host), 0o755, sync);
    return host;
  }

  return {
    root: base,
    get unsynced() {
      return openFiles({ ...options, sync: unsynced });
    },
    hostPath: (file) => locate(file, true),
    read(file, options) {
      return ifPresent(file, () =>
        readWhole(openFile(file), file, options?.maxBytes ?? defaultMaxBytes),
      );
    },
    readText(file, options) {
      const bytes = this.read(file, options);
      return bytes === undefined
        ? undefined
        : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
    },
    list(file) {
      return ifPresent(file, () => readdirSync(locate(file, true)).sort()) ?? [];
    },
    stat(file) {
      return ifPresent(file, () => {
        // An exception would cost ten times as much as the call.
        const stat = lstatSync(locate(file, false), { throwIfNoEntry: false });
        return stat === undefined ? undefined : toStat(stat);
      });
    },
    space(file) {
      const host = locate(file, true);
      return ifPresent(file, () => toSpace(statfsSync(host)));
    },
    readLink(file) {
      return ifPresent(file, () => linkTarget(locate(file, false)));
    },
    realPath(file) {
      const host = ifPresent(file, () => realpathSync.native(locate(file, true)));
      if (host === undefined || base === "/") return host;
      const inside = path.relative(realpathSync.native(base), host);
      return inside === "" ? "/" : `/${inside}`;
    },
    open(file, options) {
      return attempt("read", file, () => openForReading(locate(file, true), file, options));
    },
    canWrite(file) {
      try {
        accessSync(locate(file, true), constants.W_OK);
        return true;
      } catch {
        return false;
      }
    },
    write(file, data, options) {
      effect(`write ${file}`);
      attempt("write", file, () => {
        const host = makeParents(file);
        const temporary = temporaryName(host);
        try {
          writeNew(temporary, data, { mode: options?.mode ?? 0o644, sync });
          renameSync(temporary, host);
          forget(host);
        } catch (error) {
          rmSync(temporary, { force: true });
          throw error;
        }
        sync.directory(path.dirname(host));
      });
    },
    create(file, data, options) {
      effect(`create ${file}`);
      return attempt("write", file, () => {
        const host = makeParents(file);
        const temporary = temporaryName(host);
        try {
          writeNew(temporary, data, { mode: options?.mode ?? 0o644, sync });
          linkSync(temporary, host);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
          throw error;
        } finally {
          rmSync(temporary, { force: true });
        }
        sync.directory(path.dirname(host));
        return true;
      });
    },
    append(file, data) {
      effect(`append ${file}`);
      attempt("write", file, () => {
        const host = makeParents(file);
        const existed = isPresent(host);
        const fd = openSync(host, "a", 0o600);
        try {
          writeAll(fd, data);
          if (sync !== unsynced) fdatasyncSync(fd);
        } finally {
          closeSync(fd);
        }
        if (!existed) sync.directory(path.dirname(host));
      });
    },
    link(target, file) {
      effect(`link ${file}`);
      attempt("write", file, () => {
        const host = makeParents(file);
        const temporary = temporaryName(host);
        anew(temporary, () => symlinkSync(target, temporary));
        try {
          renameSync(temporary, host);
          forget(host);
        } catch (error) {
          rmSync(temporary, { force: true });
          throw error;
        }
        sync.directory(path.dirname(host));
      });
    },
    makeDirectory(file, options) {
      const host = locate(file, true);
      if (isPresent(host)) return;
      effect(`mkdir ${file}`);
      attempt("write", file, () => makeDirectories(host, options?.mode ?? 0o755, sync));
    },
    rename(from, to) {
      effect(`rename ${to}`);
      attempt("write", to, () => {
        const target = makeParents(to);
        const origin = locate(from, false);
        renameSync(origin, target);
        forget();
        sync.directory(path.dirname(target));
        if (path.dirname(origin) !== path.dirname(target)) sync.directory(path.dirname(origin));
      });
    },
    remove(file, options) {
      const host = locate(file, false);
      if (!isPresent(host)) return;
      effect(`remove ${file}`);
      attempt("write", file, () => {
        if (options?.overwrite === true) overwrite(host);
        rmSync(host, { recursive: true, force: true });
        forget();
        sync.directory(path.dirname(host));
      });
    },
    syncTree(file) {
      effect(`sync ${file}`);
      attempt("write", file, () => syncTree(locate(file, true)));
    },
  };
}

/** Closes `fd`. Files of /proc and /sys say size 0 or a page, so none is asked: all are read until there is no more. */
function readWhole(fd: number, file: string, maxBytes: number): Uint8Array {
  try {
    let buffer = Buffer.allocUnsafe(firstBytes);
    let length = 0;
    for (;;) {
      const count = readSync(fd, buffer, length, buffer.length - length, null);
      if (count === 0) return buffer.subarray(0, length);
      length += count;
      if (length > maxBytes) throw tooLarge(file, maxBytes);
      if (length === buffer.length) {
        const grown = Buffer.allocUnsafe(Math.min(buffer.length * 4, maxBytes + 1));
        buffer.copy(grown, 0, 0, length);
        buffer = grown;
      }
    }
  } finally {
    closeSync(fd);
  }
}

function tooLarge(file: string, maxBytes: number): Fault {
  return new Fault(
    "io/too-large",
    `${file}: larger than the ${maxBytes} bytes that are expected at most`,
  );
}

function openForReading(
  host: string,
  file: string,
  { size: known, exclusive = false }: { readonly size?: number; readonly exclusive?: boolean } = {},
): RandomAccess {
  const alone = exclusive ? constants.O_EXCL : 0;
  const fd = openSync(host, constants.O_RDONLY | constants.O_NONBLOCK | alone);
  const stat = fstatSync(fd);
  const size = stat.isBlockDevice()
    ? (known ?? blockDeviceSize(fd))
    : Math.min(stat.size, known ?? stat.size);
  return {
    size,
    read(offset, length) {
      const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
      let done = 0;
      try {
        while (done < buffer.length) {
          const count = readSync(fd, buffer, done, buffer.length - done, offset + done);
          if (count === 0) break;
          done += count;
        }
      } catch (error) {
        throw new Fault("io/read-failed", `${file}: at byte ${offset + done}: ${reason(error)}`, {
          cause: error,
        });
      }
      return buffer.subarray(0, done);
    },
    close: () => closeSync(fd),
  };
}

/** The last readable byte of a device by bisection: fstat says 0, and an ioctl is not to be had. */
function blockDeviceSize(fd: number): number {
  const probe = Buffer.alloc(1);
  const readable = (offset: number) => {
    try {
      return readSync(fd, probe, 0, 1, offset) === 1;
    } catch {
      return false;
    }
  };
  if (!readable(0)) return 0;
  let low = 1;
  let high = 2;
  while (high < 2 ** 52 && readable(high - 1)) {
    low = high;
    high *= 2;
  }
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (readable(middle - 1)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function writeNew(
  host: string,
  data: string | Uint8Array,
  { mode, sync }: { readonly mode: number; readonly sync: Sync },
): void {
  const fd = anew(host, () => openSync(host, "wx", mode));
  try {
    fchmodSync(fd, mode);
    writeAll(fd, data);
    sync.file(fd, host);
  } finally {
    closeSync(fd);
  }
}

/** Makes a temporary file; a power cut may have left one of the same process id. */
function anew<T>(temporary: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    rmSync(temporary, { force: true });
    return make();
  }
}

function writeAll(fd: number, data: string | Uint8Array): void {
  const bytes = typeof data === "string" ? Buffer.from(data, "utf8") : data;
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
}

function overwrite(host: string): void {
  const stat = lstatSync(host);
  if (!stat.isFile()) return;
  const fd = openSync(host, "r+");
  try {
    const zeros = Buffer.alloc(64 * 1024);
    for (let done = 0; done < stat.size; ) {
      done += writeSync(fd, zeros, 0, Math.min(zeros.length, stat.size - done), done);
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes a directory and what is missing above it, one by one. Node's own `recursive` is not used: it
 * never ends where the kernel says ENOENT for a directory whose parent is there (`/proc/x`).
 */
function makeDirectories(host: string, mode: number, sync: Sync): void {
  if (isDirectory(host)) return;
  const parent = path.dirname(host);
  // The mode is this directory's alone: parents are for everybody.
  if (parent !== host) makeDirectories(parent, 0o755, sync);
  try {
    mkdirSync(host, { mode });
  } catch (error) {
    // Another process may have made it.
    if (!isDirectory(host)) throw error;
    return;
  }
  sync.directory(parent);
}

function isDirectory(host: string): boolean {
  return statSync(host, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function syncDirectory(host: string): void {
  const fd = openSync(host, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function syncTree(host: string): void {
  const stat = lstatSync(host);
  if (stat.isDirectory()) {
    for (const name of readdirSync(host)) syncTree(path.join(host, name));
    syncDirectory(host);
  } else if (stat.isFile()) {
    const fd = openSync(host, "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }
}

function isPresent(host: string): boolean {
  return lstatSync(host, { throwIfNoEntry: false }) !== undefined;
}

function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined
    ? message
    : `${code} (${message.replace(/^[A-Z]+: /, "").replace(/, .*$/, "")})`;
}

function toStat(stat: Stats): FileStat {
  return {
    kind: kindOf(stat),
    size: stat.size,
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    modifiedMs: stat.mtimeMs,
  };
}

function kindOf(stat: Stats): FileKind {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "directory";
  if (stat.isSymbolicLink()) return "link";
  return stat.isBlockDevice() ? "block" : "other";
}

function toSpace({ bsize, blocks, bfree, bavail, files, ffree, type }: StatsFs): FileSpace {
  return {
    totalBytes: blocks * bsize,
    freeBytes: bfree * bsize,
    availableBytes: bavail * bsize,
    totalInodes: files,
    freeInodes: ffree,
    fileSystem: type,
  };
}
