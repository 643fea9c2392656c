import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** One finished run of a command. */
export interface Sample {
  /** User and system time. */
  readonly cpuMs: number;
  /** From its start to its end. */
  readonly wallMs: number;
  /** Largest resident size; `null` where `/usr/bin/time` is not there to say it. */
  readonly peakMiB: number | null;
}

const hasTime = existsSync("/usr/bin/time");

/** Runs a command to its end and takes the operating system's account of it. Throws when it fails. */
export function measure(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Sample {
  const inner = hasTime ? ["/usr/bin/time", "-q", "-f", "%M", ...argv] : argv;
  const script = 'TIMEFORMAT="cpu %3U %3S %3R"; time "$@" >/dev/null';
  const { status, stderr } = spawnSync("bash", ["-c", script, "bash", ...inner], {
    encoding: "utf8",
    env: { ...process.env, ...env },
    timeout: 120_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  const [, user, system, real] = /^cpu ([0-9.]+) ([0-9.]+) ([0-9.]+)$/m.exec(stderr) ?? [];
  if (status !== 0 || user === undefined || system === undefined) {
    throw new Error(`${argv.join(" ")}: ended with ${status}: ${stderr.slice(-400)}`);
  }
  const peak = hasTime
    ? /^([0-9]+)$/m.exec(stderr.trim().split("\n").slice(-2).join("\n"))?.[1]
    : undefined;
  return {
    cpuMs: (Number(user) + Number(system)) * 1000,
    wallMs: Number(real) * 1000,
    peakMiB: peak === undefined ? null : Number(peak) / 1024,
  };
}

/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2;
}

/** The value below which nine of ten lie. */
export function ninth(values: readonly number[]): number {
  return percentile(values, 90);
}

/** The value below which so many of a hundred lie. */
export function percentile(values: readonly number[], of: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * of) / 100))] ?? Number.NaN;
}
