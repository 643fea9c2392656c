import { Fault } from "#core/fault.ts";
import { onceLoader } from "./loaders/choose-loader.ts";
import type { Restarting } from "./system.ts";
import { hasAttempt, type TransactionState } from "./transaction-state.ts";
import { type Change, openTransaction, step } from "./work.ts";

/** What is asked of {@link restart}. */
export interface RestartRequest {
  /** Whether the machine is restarted also where no trial waits for it. */
  readonly plain?: boolean;
}

/**
 * Restarts the machine, into a trial that waits for it or back from one. Gives its answer before the
 * machine goes down. Throws `system/no-trial` where nothing waits for it, `system/restart-failed`; of a
 * plain one `system/locked` while a trial is on its way to a judge.
 */
export async function restart(
  change: Change,
  { plain = false }: RestartRequest = {},
): Promise<Restarting> {
  const open = openTransaction(change);
  if (plain && !wantsRestart(open, change.machine.bootId)) return restartPlainly(change, open);
  const how = howTo(change);
  const { txn } = openTransaction(change) as { readonly txn: string };
  await step(change, { txn, name: "restart", intent: { how } }, async () => {
    await change.commands.restart(how);
    return null;
  });
  return { how };
}

/** Nothing of the journal's leads there or back: the boot default comes, or what a person has chosen. */
async function restartPlainly(change: Change, open: TransactionState): Promise<Restarting> {
  if (hasAttempt(open)) {
    throw new Fault(
      "system/locked",
      `the trial ${open.txn} is under way, and a restart would end it`,
    );
  }
  await change.commands.restart("reboot");
  return { how: "reboot" };
}

function howTo(change: Change): Restarting["how"] {
  const open = openTransaction(change);
  if (!wantsRestart(open, change.machine.bootId)) {
    throw new Fault("system/no-trial", "there is no trial that waits for a restart");
  }
  const once = open.state === "waiting" ? open.attempt.once : null;
  return once === null ? "reboot" : onceLoader(once.loader).restart;
}

/** Whether nothing but a restart leads on from here, in this boot. */
export function wantsRestart(open: TransactionState, bootId: string): boolean {
  if (open.state === "waiting") return open.bootId === bootId;
  return open.state === "rolling-back" && open.restartIn === bootId;
}
