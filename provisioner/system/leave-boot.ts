import { Fault } from "#core/fault.ts";
import { dropTrial } from "./drop-trial.ts";
import { writeEntry } from "./prepare.ts";
import type { OpenAttempt } from "./transaction-state.ts";
import { type Change, openTransaction } from "./work.ts";

/** So often the machine is restarted to come back from a trial. */
const mostRestarts = 2;

/** Whether a trial runs because the machine was booted with it: then only a restart leads back. */
export function isBootedTrial({ machine }: Change, { attempt }: OpenAttempt): boolean {
  return attempt.once !== null && machine.running() === attempt.closure.toplevel;
}

/**
 * Takes away what would boot the system on trial again, entry and all. Gives back what could not be
 * done, as sentences.
 */
export async function clearBoot(change: Change, open: OpenAttempt): Promise<readonly string[]> {
  const { txn, attempt } = open;
  if (attempt.once === null) return [];
  await dropTrial(change, open);
  const { toplevel } = change.machine.profile();
  if (toplevel === null || toplevel === attempt.closure.toplevel) return [];
  try {
    if (attempt.once.loader !== "kexec") await writeEntry(change, txn, toplevel);
    return [];
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return [`the entry of the trial may still be in the boot menu: ${error.message}`];
  }
}

/**
 * Asks for a restart, by throwing `system/restart-needed`; no more where the machine has come back
 * with the system on trial too often.
 */
export function askRestart(change: Change, why: string): void {
  const open = openTransaction(change);
  const restarts = open.state === "rolling-back" ? open.restarts : 0;
  if (restarts < mostRestarts) throw new Fault("system/restart-needed", why);
}
