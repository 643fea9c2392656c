import { durationMs } from "#core/duration.ts";
import type { Health } from "#generated/provisioner/spec/v1.ts";

/** Limits of a judgement when the spec says nothing. */
const defaults = { passes: 3, intervalMs: 5_000, timeoutMs: 120_000 } as const;

/** How a trial is watched; times in milliseconds. */
export interface HealthTimes {
  /** So many rounds must pass in a row. */
  readonly passes: number;
  readonly intervalMs: number;
  /** So long every round must pass. */
  readonly soakMs: number;
  /** The verdict is given by then; long enough for the others where the spec does not say it. */
  readonly timeoutMs: number;
  /** Least time in which a trial can be found well, its checks themselves left out. */
  readonly leastMs: number;
}

/** The times that a spec asks for. */
export function healthTimes(health: Health | undefined): HealthTimes {
  const passes = health?.passes ?? defaults.passes;
  const intervalMs = durationMs(health?.interval, defaults.intervalMs);
  const soakMs = durationMs(health?.soak, 0);
  const leastMs = Math.max(soakMs, (passes - 1) * intervalMs);
  // The checks themselves take their time as well.
  const enough = Math.max(defaults.timeoutMs, leastMs + intervalMs + defaults.timeoutMs / 2);
  return {
    ...{ passes, intervalMs, soakMs, leastMs },
    timeoutMs: durationMs(health?.timeout, enough),
  };
}
