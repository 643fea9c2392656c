import { describeFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { Processes } from "#provisioner/system/lock.ts";
import { followTrial } from "./follow-trial.ts";
import { settleKept } from "./settle-kept.ts";
import { openTracker, type Tracker } from "./tracker.ts";

/** The system of a boot, and what gives the update back at its end. */
export interface FollowedBoot {
  readonly system: SystemClient;
  release(): void;
}

/**
 * The system of a boot that may go on with the trial of an update: what it comes to is written into the
 * ledger as it happens. A ledger that another process has, or that cannot be written, keeps no boot: the
 * journal tells it later.
 */
export function followBoot(
  { io, log }: { readonly io: Io; readonly log: Log },
  system: SystemClient,
  processes?: Processes,
): FollowedBoot {
  let tracker: Tracker;
  try {
    tracker = openTracker(io, log, processes);
  } catch (error) {
    const { code, message } = describeFault(error);
    log.warning("update.unfollowed", { code, message });
    const recover: SystemClient["recover"] = async (options) => {
      const recovery = await system.recover(options);
      await settleKept(io, system);
      return recovery;
    };
    return { system: { ...system, recover }, release: () => {} };
  }
  return { system: followTrial(system, { io, tracker }), release: tracker.release };
}
