import type { Clock } from "./io.ts";

/**
 * Starts to measure, or goes on after `beforeMs`; says how many milliseconds have passed until now, to a
 * tenth.
 */
export function startWatch(clock: Pick<Clock, "monotonicMs">, beforeMs = 0): () => number {
  const started = clock.monotonicMs() - beforeMs;
  return () => Math.round((clock.monotonicMs() - started) * 10) / 10;
}
