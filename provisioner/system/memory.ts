import type { Files } from "#core/io.ts";

/** What the kernel says of the memory, in bytes. */
export interface Memory {
  readonly totalBytes: number;
  /** What a new program can have without swap. */
  readonly availableBytes: number;
  readonly swapFreeBytes: number;
}

/** Memory of this machine; `undefined` where its kernel does not say it. */
export function readMemory(files: Files): Memory | undefined {
  const text = files.readText("/proc/meminfo") ?? "";
  const bytes = (name: string) => {
    const kib = new RegExp(`^${name}:\\s+([0-9]+) kB$`, "m").exec(text)?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  };
  const [totalBytes, availableBytes] = [bytes("MemTotal"), bytes("MemAvailable")];
  if (totalBytes === undefined || availableBytes === undefined) return undefined;
  return { totalBytes, availableBytes, swapFreeBytes: bytes("SwapFree") ?? 0 };
}

/** How many processes the kernel has killed for memory since boot; `undefined` where it does not say. */
export function readOomKills(files: Files): number | undefined {
  return field(files.readText("/proc/vmstat"), "oom_kill");
}

/** What a control group says of its memory. */
export interface GroupMemory {
  /** Processes in it that the kernel killed for memory. */
  readonly oomKills: number;
  readonly peakBytes: number | undefined;
}

/** Memory of a control group below /sys/fs/cgroup; `undefined` when it is not there (any more). */
export function readGroupMemory(files: Files, group: string): GroupMemory | undefined {
  const directory = `/sys/fs/cgroup/${group}`;
  const oomKills = field(files.readText(`${directory}/memory.events`), "oom_kill");
  if (oomKills === undefined) return undefined;
  const peak = files.readText(`${directory}/memory.peak`)?.trim() ?? "";
  return { oomKills, peakBytes: /^[0-9]+$/.test(peak) ? Number(peak) : undefined };
}

/** Of old control groups a limit that is none is a number next to this; no machine has as much. */
const noLimit = 2 ** 62;

/**
 * Whether the kernel holds a control group to a limit of its memory; `undefined` when the group is not
 * there (any more). Groups of either version.
 */
export function isMemoryLimited(files: Files, group: string): boolean | undefined {
  const [unified, old] = [`/sys/fs/cgroup/${group}`, `/sys/fs/cgroup/memory/${group}`];
  const limit =
    files.readText(`${unified}/memory.max`) ?? files.readText(`${old}/memory.limit_in_bytes`);
  if (limit !== undefined) return /^[0-9]+$/.test(limit.trim()) && Number(limit) < noLimit;
  return files.stat(unified) === undefined && files.stat(old) === undefined ? undefined : false;
}

/** Whether the kernel can hold control groups of this machine to a limit of their memory. */
export function hasMemoryGroups(files: Files): boolean {
  const controllers = files.readText("/sys/fs/cgroup/cgroup.controllers") ?? "";
  const isOld = files.stat("/sys/fs/cgroup/memory/memory.limit_in_bytes") !== undefined;
  return controllers.trim().split(" ").includes("memory") || isOld;
}

function field(text: string | undefined, name: string): number | undefined {
  const value = new RegExp(`^${name} ([0-9]+)$`, "m").exec(text ?? "")?.[1];
  return value === undefined ? undefined : Number(value);
}
