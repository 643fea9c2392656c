import { sha256 } from "#core/canonical-json.ts";
import type { Log } from "#core/log.ts";

/** How often something is done. */
export interface Recurring {
  readonly name: string;
  readonly intervalMs: number;
  /** At most so much later, at random each time. */
  readonly jitterMs?: number;
  /** Where in the interval it falls, from 0 to below 1; at its beginning when absent. */
  readonly phase?: number;
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
 * minute, an hour or a day evenly; one second at least, a day at most. `phase` (from 0 to below 1) says
 * where in the interval it falls.
 */
export function cronExpression(intervalMs: number, phase = 0): string {
  const seconds = Math.max(1, Math.floor(intervalMs / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) {
    const { s, m, h } = momentOf(86_400 * phase);
    return `${s} ${m} ${h} * * *`;
  }
  if (hours >= 1) {
    const step = atMost(divisorsOf24, hours);
    const { s, m, h } = momentOf(step * 3600 * phase);
    return `${s} ${m} ${every(h, step, 23)} * * *`;
  }
  if (minutes >= 1) {
    const step = atMost(divisorsOf60, minutes);
    const { s, m } = momentOf(step * 60 * phase);
    return `${s} ${every(m, step, 59)} * * * *`;
  }
  const step = atMost(divisorsOf60, seconds);
  return `${every(Math.floor(step * phase), step, 59)} * * * * *`;
}

function momentOf(seconds: number): { readonly s: number; readonly m: number; readonly h: number } {
  const whole = Math.floor(seconds);
  return { s: whole % 60, m: Math.floor(whole / 60) % 60, h: Math.floor(whole / 3600) };
}

function every(first: number, step: number, last: number): string {
  return first === 0 ? `*/${step}` : `${first}-${last}/${step}`;
}

/** Where in an interval a node does something: by its name, so that a fleet is spread evenly and each node keeps its moment. */
export function phaseOf(node: string, name: string): number {
  return Number.parseInt(sha256(`${node}\0${name}`).slice(0, 12), 16) / 16 ** 12;
}

/** A schedule on node-cron, which is loaded here and nowhere else. */
export async function cronSchedule(log: Log): Promise<Schedule> {
  const { schedule } = await import("node-cron");
  const say = (message: string | Error) => log.debug("schedule", { message: String(message) });
  return {
    every({ name, intervalMs, jitterMs = 0, phase = 0 }, task) {
      const guarded = async () => {
        try {
          await task();
        } catch (error) {
          log.error("schedule.failed", { name, message: (error as Error).message });
        }
      };
      const job = schedule(cronExpression(intervalMs, phase), guarded, {
        name,
        noOverlap: true,
        timezone: "UTC", // of which every hour has sixty minutes and every day the same hours
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
