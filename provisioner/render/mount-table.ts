import type { Files } from "#core/io.ts";

/** A line of `/proc/self/mountinfo`: proc_pid_mountinfo(5). */
export interface MountLine {
  /** Number of the device, `MAJOR:MINOR`. */
  readonly number: string;
  /** Directory of the file system that is mounted; `/` is all of it. */
  readonly root: string;
  readonly path: string;
  readonly type: string;
  /** What is mounted: a device, or a word of the file system's own. */
  readonly device: string;
  /** Of the mount and of the file system, each once. */
  readonly options: readonly string[];
}

const mountinfo = "/proc/self/mountinfo";
const maxBytes = 4 * 1024 * 1024;

/** Whether there is a kernel that tells what is mounted. */
export function tellsMounts(files: Files): boolean {
  return files.stat(mountinfo) !== undefined;
}

/** What is mounted now; a later line lies over an earlier one at the same place. */
export function readMounts(files: Files): readonly MountLine[] {
  const byPath = new Map<string, MountLine>();
  for (const line of (files.readText(mountinfo, { maxBytes }) ?? "").split("\n")) {
    const mount = parseLine(line);
    if (mount !== undefined) byPath.set(mount.path, mount);
  }
  return [...byPath.values()];
}

function parseLine(line: string): MountLine | undefined {
  const [head = "", tail] = line.split(" - ", 2);
  if (tail === undefined) return undefined;
  const [, , number = "", root = "", path = "", ofMount = ""] = head.split(" ");
  const [type = "", device = "", ofFileSystem = ""] = tail.split(" ");
  const options = [...new Set([...ofMount.split(","), ...ofFileSystem.split(",")])];
  return {
    ...{ number, type },
    ...{ root: plain(root), path: plain(path), device: plain(device) },
    options: options.map(plain),
  };
}

/** Swap that is in use, by `/proc/swaps`. */
export function readSwaps(files: Files): readonly string[] {
  const [, ...lines] = (files.readText("/proc/swaps", { maxBytes }) ?? "").split("\n");
  return lines.map((line) => plain(line.split(/\s/)[0] ?? "")).filter((name) => name !== "");
}

/** The kernel writes white space and backslashes as `\ooo`. */
function plain(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
