import type { IncomingHttpHeaders } from "node:http";

const firstPauseMs = 200;
const longestPauseMs = 5_000;
/** As RFC 9110, section 5.6.7, has them: its own form, that of RFC 850 and that of C's `asctime`. */
const httpDate =
  /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? .*\b\d\d:\d\d:\d\d (?:gmt|(?<asctime>\d{4}))$/i;

/**
 * In milliseconds. Many machines that start at once shall not all ask again at once; and one that is told
 * to ask again at once, each time, does so less and less often. `chance` is of 0 to 1.
 */
export function pauseMs(
  attempt: number,
  retryAfterMs: number | undefined,
  chance: () => number = Math.random,
): number {
  const grow = (ms: number) => Math.min(longestPauseMs, ms * 2 ** (attempt - 1));
  if (retryAfterMs !== undefined) return Math.max(grow(1), retryAfterMs);
  return grow(firstPauseMs) * (0.5 + chance() / 2);
}

/**
 * What `Retry-After` asks for, in milliseconds: seconds, or a date, which counts from the `Date` of the
 * same answer. Where there is none it counts from our clock, which may stand at 1970 or anywhere: what
 * lies before it or after the budget is `undefined` then, as is what is neither, as if nothing had been
 * asked for.
 */
export function askedPauseMs(headers: IncomingHttpHeaders, budgetMs: number): number | undefined {
  const asked = headers["retry-after"]?.trim() ?? "";
  if (/^\d+$/.test(asked)) return Number(asked) * 1_000;
  const until = parseDate(asked);
  if (Number.isNaN(until)) return undefined;
  const theirs = parseDate(headers.date ?? "");
  if (!Number.isNaN(theirs)) return Math.max(0, until - theirs);
  const ms = until - Date.now();
  return ms > 0 && ms <= budgetMs ? ms : undefined;
}

/** `Date.parse` alone takes `-5` and `1, 2` for days of years long past. */
function parseDate(text: string): number {
  const found = httpDate.exec(text);
  if (found === null) return Number.NaN;
  return Date.parse(found.groups?.["asctime"] === undefined ? text : `${text} GMT`);
}
