import type { Log } from "#core/log.ts";

/** How often something is done. */
export interface Recurring {
  readonly name: string;
  readonly intervalMs: number;
  /** At most so much later, at random each time. */
  readonly jitterMs?: number;
}

/** The agent's only way to do something again and again. */
export interface Schedule {
  /** Runs the task at each interval, never twice at once; a failure is logged. Returns the end of it. */
  every(recurring: Recurring, task: () => Promise<void>): () => void;
}

const divisorsOf60 = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30];
const divisorsOf24 = [1, 2, 3, 4, 6, 8, 12];

/**
 * The cron expression (with seconds) of an interval: the longest that is not longer and divides a
 * minute, an hour or a day evenly; one second at least, a day at most.
 */
export function cronExpression(intervalMs: number): string {
  const seconds = Math.max(1, Math.floor(intervalMs / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return "0 0 0 * * *";
  if (hours >= 1) return `0 0 */${atMost(divisorsOf24, hours)} * * *`;
  if (minutes >= 1) return `0 */${atMost(divisorsOf60, minutes)} * * * *`;
  return `*/${atMost(divisorsOf60, seconds)} * * * * *`;
}

/** A schedule on node-cron, which is loaded here and nowhere else. */
export async function cronSchedule(log: Log): Promise<Schedule> {
  const { schedule } = await import("node-cron");
  const say = (message: string | Error) => log.debug("schedule", { message: String(message) });
  return {
    every({ name, intervalMs, jitterMs = 0 }, task) {
      const guarded = async () => {
        try {
          await task();
        } catch (error) {
          log.error("schedule.failed", { name, message: (error as Error).message });
        }
      };
      const job = schedule(cronExpression(intervalMs), guarded, {
        name,
        noOverlap: true,
        maxRandomDelay: jitterMs,
        suppressMissedWarning: true,
        logger: { info: say, warn: say, error: say, debug: say },
      });
      return () => void job.destroy();
    },
  };
}

function atMost(divisors: readonly number[], value: number): number {
  return divisors.findLast((divisor) => divisor <= value) ?? 1;
}
