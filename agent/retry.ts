import type { Code } from "#core/codes.ts";
import { describeFault } from "#core/fault.ts";
import type { Log } from "#core/log.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { Wanted } from "#provisioner/system/system.ts";
import type { End } from "./boot-stages.ts";

/** What is to be tried again, and who starts the boot for it. */
export interface Retrying {
  readonly system: Pick<SystemClient, "retry">;
  readonly log: Log;
  /** The release that is wanted; `null` where there is none. */
  readonly wanted: Wanted | null;
}

const untilATime: readonly Code[] = ["system/release-denied", "system/release-looping"];

/**
 * An end with the time at which what was asked for is tried again by itself, where it was taken back or
 * is held back until then. What failed otherwise, the unit of the boot tries again. Where nothing is left
 * to be tried a timer that is still set is stopped.
 */
export async function withRetry(end: End, retrying: Retrying): Promise<End> {
  const { outcome, fault } = end;
  const waits = outcome === "rolled-back" || (fault != null && untilATime.includes(fault.code));
  if (waits && retrying.wanted !== null) return { ...end, triedAgainAt: await askRetry(retrying) };
  if (waits || isSettled(end)) await stopRetry(end, retrying);
  return end;
}

function isSettled({ outcome, fault }: End): boolean {
  return outcome === "committed" || outcome === "unchanged" || fault?.code === "policy/left-alone";
}

/** Stops the timer where an end says that one is set; one that goes on is only logged. */
export async function stopRetry(
  { retries }: End,
  retrying: Omit<Retrying, "wanted">,
): Promise<void> {
  if (retries === true) await askRetry({ ...retrying, wanted: null });
}

/** When the boot is started again; `null` where it is not, or cannot be, which is only logged. */
export async function askRetry({ system, log, wanted }: Retrying): Promise<string | null> {
  try {
    const { at } = await system.retry(wanted);
    if (at !== null) log.info("boot.again", { at });
    return at;
  } catch (error) {
    const { code, message } = describeFault(error);
    log.warning("boot.not-again", { code, message });
    return null;
  }
}
