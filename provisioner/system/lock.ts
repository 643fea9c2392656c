import { Fault } from "#core/fault.ts";
import { hostFiles } from "#core/host-files.ts";
import { type Files, type Io, readBootId } from "#core/io.ts";

/** A process of this host, told apart from a later one with the same number. */
export interface ProcessId {
  readonly pid: number;
  /** Start time in clock ticks since boot, as in /proc/PID/stat; `null` where unknown. */
  readonly started: string | null;
}

/** What a lock asks about processes; a test says it itself. */
export interface Processes {
  self(): ProcessId;
  isAlive(process: ProcessId): boolean;
}

/** The processes of this host, by /proc. */
export function hostProcesses(files: Files = hostFiles("/", () => {})): Processes {
  const startOf = (pid: number): string | null => {
    const stat = files.readText(`/proc/${pid}/stat`);
    // The second field is the name in parentheses and may hold anything; field 22 is the start.
    return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  };
  return {
    self: () => ({ pid: process.pid, started: startOf(process.pid) }),
    isAlive: ({ pid, started }) => startOf(pid) === started && started !== null,
  };
}

/** What a lock file says. */
interface Holder extends ProcessId {
  readonly bootId: string;
  /** Which lock of the process: two in one process shut each other out as well. */
  readonly token: string;
}

/** One process at a time changes a system. */
export interface Lock {
  /** Takes it, or keeps it. Throws `system/locked` when another live process of this boot has it. */
  acquire(): void;
  /** Gives it back; nothing when it is not held. */
  release(): void;
}

/** A lock file that outlives neither its process nor its boot. */
export function openLock(io: Io, path: string, processes: Processes): Lock {
  const { files } = io;
  const bootId = readBootId(files);
  let mine: string | undefined;

  function take(): boolean {
    const holder: Holder = { ...processes.self(), bootId, token: io.random.uuid() };
    const text = `${JSON.stringify(holder)}\n`;
    if (!files.create(path, text, { mode: 0o600 })) return false;
    mine = text;
    return true;
  }

  /** Renames a dead holder's file away; a new holder's, moved by a hair's breadth, is put back. */
  function removeStale(stale: string): void {
    const aside = `${path}.stale-${io.random.uuid()}`;
    try {
      files.rename(path, aside);
    } catch (error) {
      if (files.stat(path) === undefined) return; // another process was faster
      throw error;
    }
    const moved = files.readText(aside);
    if (moved !== undefined && moved !== stale) files.create(path, moved, { mode: 0o600 });
    files.remove(aside);
  }

  /** What somebody renamed away and was killed before it was gone; nobody puts it back past this lock. */
  function sweep(): void {
    const slash = path.lastIndexOf("/");
    const [directory, name] = [path.slice(0, slash), path.slice(slash + 1)];
    for (const other of files.list(directory)) {
      if (other.startsWith(`${name}.stale-`)) files.remove(`${directory}/${other}`);
    }
  }

  return {
    acquire() {
      if (mine !== undefined && files.readText(path) === mine) return;
      for (let attempt = 0; attempt < 3; attempt++) {
        if (take()) {
          sweep();
          // Moved by a hair's breadth, and swept: then it is nobody's any more.
          if (files.readText(path) === mine) return;
          mine = undefined;
          continue;
        }
        const text = files.readText(path);
        if (text === undefined) continue;
        const holder = parseHolder(text);
        if (holder !== undefined && holder.bootId === bootId && processes.isAlive(holder)) {
          throw new Fault("system/locked", `process ${holder.pid} is changing this system`);
        }
        removeStale(text);
      }
      throw new Fault("system/locked", `${path}: several processes want to change this system`);
    },
    release() {
      if (mine !== undefined && files.readText(path) === mine) files.remove(path);
      mine = undefined;
    },
  };
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder> | null;
    return typeof value?.pid === "number" && typeof value.bootId === "string"
      ? { pid: value.pid, started: value.started ?? null, bootId: value.bootId, token: "" }
      : undefined;
  } catch {
    return undefined;
  }
}
