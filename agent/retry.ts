import type { Code } from "#core/codes.ts";
import { describeFault } from "#core/fault.ts";
import type { Log } from "#core/log.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { End } from "./boot-stages.ts";

/** What is to be tried again, and who starts the boot for it. */
export interface Retrying {
  readonly system: Pick<SystemClient, "retry">;
  readonly log: Log;
  /** Digest of the sources of the system that is wanted. */
  readonly wanted: string | null;
}

const untilATime: readonly Code[] = ["system/release-denied", "system/release-looping"];

/**
 * An end with the time at which what was asked for is tried again by itself, where it was taken back or
 * is held back until then. What failed otherwise, the unit of the boot tries again.
 */
export async function withRetry(end: End, retrying: Retrying): Promise<End> {
  const { outcome, fault } = end;
  const waits = outcome === "rolled-back" || (fault != null && untilATime.includes(fault.code));
  return waits ? { ...end, triedAgainAt: await askRetry(retrying) } : end;
}

/** When the boot is started again; `null` where it cannot be, which is only logged. */
export async function askRetry({ system, log, wanted }: Retrying): Promise<string | null> {
  if (wanted === null) return null;
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
