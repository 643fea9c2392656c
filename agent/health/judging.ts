import type { Health } from "#generated/provisioner/spec/v1.ts";
import type { Baseline } from "./judge.ts";

/** What a judge goes by: kept with the trial, so that another process can go on with it. */
export interface Judging {
  /** What the spec calls healthy; the defaults where it says nothing. */
  readonly health?: Health;
  readonly baseline: Baseline;
}

/**
 * Reads what an earlier process kept, which may have been another version of firstlight: a part that
 * is not as expected is left out, and the trial judged by the defaults.
 */
export function readJudging(value: unknown): Judging {
  const { health, baseline } = asObject(value);
  const { failedUnits, kept } = asObject(baseline);
  return {
    ...(typeof health === "object" && health !== null ? { health: health as Health } : {}),
    baseline: {
      failedUnits: Array.isArray(failedUnits) ? failedUnits.map(String) : null,
      kept: Array.isArray(kept) ? (kept as Baseline["kept"]) : [],
    },
  };
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
