import { healthTimes } from "#provisioner/spec/health-times.ts";
import type { Verdict } from "#provisioner/system/system.ts";
import { type BaselineOptions, look, restartWatch } from "./judge.ts";
import type { Judging } from "./judging.ts";

/** Whether a verdict says anything about the release that it is about. */
export interface Conclusive {
  readonly conclusive: boolean;
  /** What fails without it as well, as sentences. */
  readonly reasons: readonly string[];
}

/** So long the system from before has to become well again, at most. */
const mostMs = 60_000;

/**
 * After the way back: where everything that a trial failed fails on the system from before as well,
 * the verdict says nothing about the release. Looks until something passes again, or the time is over.
 */
export async function conclusionOf(
  { judging, verdict }: { readonly judging: Judging; readonly verdict: Verdict },
  options: BaselineOptions,
): Promise<Conclusive> {
  const { health, baseline } = judging;
  const failed = verdict.failed ?? [];
  if (failed.length === 0) return { conclusive: true, reasons: [] };
  const { clock } = options.io;
  const { intervalMs, timeoutMs } = healthTimes(health);
  const started = clock.monotonicMs();
  const restarts = restartWatch(health, null); // those of the trial say nothing
  for (;;) {
    const leftMs = Math.max(1, Math.ceil(mostMs - (clock.monotonicMs() - started)));
    const now = await look(health, { ...options, baseline, restarts, leftMs });
    const still = now.filter(({ name }) => failed.includes(name));
    if (still.length < failed.length) return { conclusive: true, reasons: [] };
    if (clock.monotonicMs() - started + intervalMs > Math.min(timeoutMs, mostMs)) {
      return {
        conclusive: false,
        reasons: still.map(({ message }) => `${message} without it too`),
      };
    }
    await clock.sleep(intervalMs, options.signal);
  }
}
