import type { SystemEvent } from "#provisioner/system/system.ts";

/** How much of making a system is done, 0 to 1, by what the system says while it is at it; `undefined` where that says nothing. */
export function shareOf(event: SystemEvent): number | undefined {
  if (event.type === "fetch-progress") return share(event.doneBytes, event.totalBytes);
  if (event.type !== "build" || event.activity.kind !== "totals") return undefined;
  const { builds, fetches, downloadBytes } = event.activity.totals;
  // Bytes move while a path comes, and paths only at their ends.
  const fetched = share(downloadBytes.done, downloadBytes.expected);
  const fetchedPaths = fetched === undefined ? fetches.done : fetches.expected * fetched;
  return share(builds.done + fetchedPaths, builds.expected + fetches.expected);
}

function share(done: number, expected: number): number | undefined {
  return expected > 0 ? Math.min(1, Math.max(0, done / expected)) : undefined;
}

/** The least time from one share that is told to the next. */
const pauseMs = 1_000;
/** In hundredths: what moves less is not worth a write. */
const steps = 100;

/**
 * What of many shares is told: never less than before of one state, in hundredths, and one a second. Gives
 * back what is to be told now, if anything is.
 */
export function progressPace(): (given: {
  readonly share: number;
  /** Number of the change by which the state was entered. */
  readonly seq: number;
  readonly upMs: number;
}) => number | undefined {
  let told: { readonly share: number; readonly seq: number; readonly upMs: number } | undefined;
  return ({ share: now, seq, upMs }) => {
    const rounded = Math.floor(now * steps) / steps;
    const isSame = told?.seq === seq;
    if (told !== undefined && upMs - told.upMs < pauseMs) return undefined;
    if (isSame && rounded <= (told?.share ?? 0)) return undefined;
    told = { share: rounded, seq, upMs };
    return rounded;
  };
}
