import { describeFault } from "#core/fault.ts";
import type { Log } from "#core/log.ts";
import type { DriftRound, DriftRoundOptions } from "./drift-round.ts";
import type { DriftSettings } from "./drift-settings.ts";
import type { Schedule } from "./schedule.ts";

/** Machines of a fleet are switched on together; they shall not all read their stores at once. */
const longestJitterMs = 6 * 3_600_000;

/** What a watch needs. */
export interface DriftWatchOptions {
  readonly log: Log;
  readonly schedule: Schedule;
  readonly settings: DriftSettings;
  readonly round: (options: DriftRoundOptions) => Promise<DriftRound>;
}

/** Looks for drift again and again, as the settings say, until the function that is returned is called. */
export function watchDrift({ log, schedule, settings, round }: DriftWatchOptions): () => void {
  if (!settings.check) return () => {};
  const { intervalMs, repair, share } = settings;
  const jitterMs = Math.min(intervalMs / 4, longestJitterMs);
  return schedule.every({ name: "drift", intervalMs, jitterMs }, async () => {
    try {
      const { report, repaired } = await round({ deep: false, repair, share });
      const { items, unseen } = report;
      log.info("drift.looked", {
        items: items.length,
        repaired: repaired.length,
        unseen: unseen.join("; "),
      });
    } catch (error) {
      const { code, message } = describeFault(error);
      log.error("drift.failed", { code, message });
    }
  });
}
