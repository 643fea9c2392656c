import { durationMs } from "#core/duration.ts";
import type { Settings } from "#generated/agent/settings.ts";

/** How a machine is held against what was committed. */
export interface DriftSettings {
  readonly check: boolean;
  readonly repair: boolean;
  readonly intervalMs: number;
  /** With each look one part of so many of the store's bytes is read. */
  readonly share: number;
}

const dayMs = 86_400_000;

/** The settings of drift, with what holds where they say nothing. */
export function driftSettings({ drift = {} }: Settings): DriftSettings {
  const intervalMs = Math.max(1_000, durationMs(drift.schedule, dayMs));
  const roundMs = durationMs(drift.storeRound, 7 * dayMs);
  return {
    check: drift.check ?? true,
    repair: drift.repair ?? false,
    intervalMs,
    share: Math.max(1, Math.ceil(roundMs / intervalMs)),
  };
}
