import type { Random } from "#core/io.ts";
import { runs } from "./history.ts";
import { readJournal } from "./journal.ts";
import { isWanted, type ReleaseLimits, type Releases } from "./releases.ts";
import { bootUnit, isRetrySet } from "./retry-lines.ts";
import type { Retry, Wanted } from "./system.ts";
import type { Work } from "./work.ts";

/** After the first trial that nobody is to blame for; three times as long after each further one. */
const firstMs = 300_000;
const leastMs = 60_000;
/** So much later at most, so that a fleet does not come back as one wave. */
const mostSpreadMs = 600_000;

/**
 * Arms the timer that starts the boot again when a release that was not committed may be tried, in place
 * of an earlier one. It is systemd's, so it outlives every firstlight; after a restart of the machine
 * the boot itself is the next try. Where nothing is to be tried the timer is stopped: no boot that it
 * starts may come between a person and what was chosen since. Throws `system/retry-failed`.
 */
export async function retry(work: Work, wanted: Wanted | null): Promise<Retry> {
  const { io, paths, settings, commands } = work;
  if (wanted === null || isOverruled(work, wanted)) {
    if (isRetrySet(io.files)) await commands.stopRetry();
    return { at: null };
  }
  const startsBoots = io.files.stat(`/etc/systemd/system/${bootUnit}`) !== undefined;
  if (!settings.systemd || !startsBoots) return { at: null };
  const { releases } = readJournal(io.files, paths.journal).ledger;
  const nowMs = io.clock.now();
  const waitMs = retryMs(releases, wanted, { limits: settings.limits, nowMs });
  const afterMs = waitMs + spreadMs(waitMs, io.random);
  await commands.armRetry(afterMs);
  return { at: new Date(nowMs + afterMs).toISOString() };
}

function isOverruled(work: Work, { sourcesDigest }: Wanted): boolean {
  return sourcesDigest !== null && runs(work, sourcesDigest).overruled;
}

/**
 * So long until a release may be tried: until it is held back no longer, or no longer counts as one that
 * begins too often; else longer with each trial that came to no good end. By the clock of this moment:
 * the timer itself goes by none that can be set.
 */
export function retryMs(
  { tries, denied }: Releases,
  wanted: Wanted,
  { limits, nowMs }: { readonly limits: ReleaseLimits; readonly nowMs: number },
): number {
  const within = (at: string, ms: number) => Math.abs(nowMs - Date.parse(at)) < ms;
  const leftMs = (at: string, ms: number) => Math.max(leastMs, Date.parse(at) + ms - nowMs);
  const denial = denied.findLast((one) => isWanted(one, wanted) && within(one.at, limits.denyMs));
  if (denial !== undefined) return leftMs(denial.at, limits.denyMs);
  const recent = tries.filter((one) => isWanted(one, wanted) && within(one.at, limits.withinMs));
  const oldest = recent.at(-limits.tries);
  if (oldest !== undefined) return leftMs(oldest.at, limits.withinMs);
  return firstMs * 3 ** Math.max(0, recent.length - 1);
}

function spreadMs(waitMs: number, random: Random): number {
  const [high = 0, low = 0] = random.bytes(2);
  return Math.round((Math.min(waitMs / 4, mostSpreadMs) * (high * 256 + low)) / 65_535);
}
