import { parseBytes } from "#core/bytes.ts";
import type { UnitProperty } from "./transient-unit.ts";

/**
 * What evaluation may take of the machine, and the builders where they are children of it. Sizes and
 * shares as systemd writes them: `2G`, `90%`, `infinity`.
 */
export interface BuildLimits {
  readonly memoryMax: string;
  /**
   * From here on it is slowed down and swapped out; `null` for never. Without swap that is a machine
   * which seems to hang, where the end by `memoryMax` would be clear: so it is nobody's default.
   */
  readonly memoryHigh: string | null;
  /** 100 is what every other service has. */
  readonly cpuWeight: number;
  readonly ioWeight: number;
  readonly tasksMax: string;
}

/** So that what runs goes on answering while a system is built. */
export const defaultBuildLimits: BuildLimits = {
  memoryMax: "90%",
  memoryHigh: null,
  cpuWeight: 50,
  ioWeight: 50,
  tasksMax: "50%",
};

/** The limits as properties of a unit, for any way to make one. */
export function limitProperties(limits: BuildLimits): readonly UnitProperty[] {
  const { memoryMax, memoryHigh, cpuWeight, ioWeight, tasksMax } = limits;
  return [
    ["MemoryMax", memoryMax],
    ...(memoryHigh === null ? [] : [["MemoryHigh", memoryHigh] as const]),
    ["CPUWeight", String(cpuWeight)],
    ["IOWeight", String(ioWeight)],
    ["TasksMax", tasksMax],
  ];
}

/** Bytes of a limit on a machine with so much memory; infinite for `infinity`. */
export function limitBytes(limit: string, totalBytes: number): number {
  const share = /^([0-9]+(?:\.[0-9]+)?)%$/.exec(limit)?.[1];
  if (share !== undefined) return Math.floor((totalBytes * Number(share)) / 100);
  return parseBytes(limit) ?? Number.POSITIVE_INFINITY;
}
