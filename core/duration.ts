/** A timer of Node.js for longer than this (24.8 days) would end at once. */
export const longestTimerMs = 2 ** 31 - 1;

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of a duration like `90s`, `5m`, `250ms`; `undefined` when it is none. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = /^([0-9]{1,12})(ms|s|m|h|d)$/.exec(text) ?? [];
  const factor = unitMs[unit ?? ""];
  return count === undefined || factor === undefined ? undefined : Number(count) * factor;
}

/** Milliseconds of an optional duration that a schema has checked already, or `fallbackMs`. */
export function durationMs(text: string | undefined, fallbackMs: number): number {
  return text === undefined ? fallbackMs : (parseDuration(text) ?? fallbackMs);
}
