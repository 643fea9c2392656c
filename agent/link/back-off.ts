import type { Random } from "#core/io.ts";

/** Bounds of the waits between attempts. */
export interface BackOffBounds {
  readonly backOffFirstMs: number;
  readonly backOffMostMs: number;
}

/**
 * The wait after the `failures`-th failure in a row (from 1): doubling up to the most, and of that
 * a random part between a half and the whole, so that a fleet does not come back as one wave.
 */
export function backOffMs(failures: number, bounds: BackOffBounds, random: Random): number {
  const doublings = Math.min(Math.max(failures - 1, 0), 30);
  const most = Math.min(bounds.backOffMostMs, bounds.backOffFirstMs * 2 ** doublings);
  const [high = 0, low = 0] = random.bytes(2);
  return Math.round(most * (0.5 + (0.5 * (high * 256 + low)) / 65_535));
}
