import type { Clock } from "#core/io.ts";

/** How often something may be done: `burst` times at once, and once more every `everyMs`. */
export interface PaceLimit {
  readonly burst: number;
  readonly everyMs: number;
}

/** Says of each time whether it is within the limit; a refusal does not count. */
export function pace({ burst, everyMs }: PaceLimit, clock: Pick<Clock, "monotonicMs">) {
  let left = burst;
  let at = clock.monotonicMs();
  return (): boolean => {
    const now = clock.monotonicMs();
    left = Math.min(burst, left + (now - at) / everyMs);
    at = now;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}
