import { Fault } from "#core/fault.ts";
import { removeSwap } from "./swap.ts";
import { type Change, dropRoots, openTransaction, step } from "./work.ts";

/**
 * Ends a build that was never tried, if that is what is open; whether it was. Throws
 * `system/transaction-open` where a trial is open: only a person, `commit`, `roll-back` or
 * `recover` ends that.
 */
export async function abandonBuild(change: Change, why: string): Promise<boolean> {
  const open = openTransaction(change);
  switch (open.state) {
    case "none":
      return false;
    case "building":
    case "built": {
      const { txn } = open;
      await step(change, { txn, name: "abandon", intent: { why } }, async () => {
        await change.commands.stopBuild(txn);
        await removeSwap(change);
        dropRoots(change, txn);
        return null;
      });
      return true;
    }
    default:
      throw new Fault("system/transaction-open", `the trial ${open.txn} is ${open.state}`);
  }
}
