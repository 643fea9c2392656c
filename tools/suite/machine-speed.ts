import { spawnSync } from "node:child_process";
import type { Budget } from "./budget.ts";

const starts = 21;
const mostSlow = 3;

/**
 * How many times slower this machine is just now than the one that the budgets were set on: 1 where
 * it is as fast or faster, never more than 3. The suites are for the most part starts of Node.
 */
export function measureSlowness({ nodeStartMs }: Budget): number {
  const times = Array.from({ length: starts }, () => {
    const started = performance.now();
    spawnSync(process.execPath, ["-e", "0"]);
    return performance.now() - started;
  }).sort((a, b) => a - b);
  const median = times[(starts - 1) / 2] ?? nodeStartMs;
  return slowness(median, nodeStartMs);
}

/** The same of a start that took so many milliseconds. */
export function slowness(startMs: number, nodeStartMs: number): number {
  return Math.min(mostSlow, Math.max(1, Math.round((10 * startMs) / nodeStartMs) / 10));
}
