import { Fault } from "#core/fault.ts";
import type { Attempt } from "./journal-record.ts";
import { switchAndRead } from "./switch.ts";
import type { Trial } from "./system.ts";
import type { TrialWay } from "./trial-way.ts";
import { addRoots, type Change, step } from "./work.ts";

/** A trial by a restart. */
export interface Restartable {
  readonly attempt: Attempt;
  readonly way: Extract<TrialWay, { readonly by: "restart" }>;
}

/**
 * Makes the next boot of the machine, and only that, the one of the system on trial. Its entry comes
 * from a generation of a profile beside the system's, which the installer of the boot default writes
 * into the menu as it does with every profile there; the default stays what it is.
 */
export async function prepareRestart(
  change: Change,
  { attempt, way: { loader, bootDefault } }: Restartable,
): Promise<Trial> {
  const { commands, machine } = change;
  const { closure, previous, planDigest, once } = attempt;
  const { transaction: txn, toplevel } = closure;
  const { toplevel: back } = previous;
  await addRoots(change, { txn, toplevel, previous: back });
  await step(change, { txn, name: "trial-profile", intent: { toplevel } }, async () => {
    await commands.setTrialProfile(toplevel);
    return null;
  });
  await commands.syncStore();
  if (loader.needsEntry) await writeEntry(change, txn, bootDefault);
  const intent = { loader: loader.name, toplevel };
  await step(change, { txn, name: "boot-once", intent }, async () => ({
    entry: await commands.bootOnce(intent),
  }));
  return {
    transaction: txn,
    toplevel,
    previous: back,
    sourcesDigest: closure.sourcesDigest,
    bootId: machine.bootId,
    planDigest,
    activation: "waits-for-restart",
    exitCode: null,
    message: `it takes a restart: ${once?.why.join("; ")}`,
  };
}

/** Lets the installer of the boot default write the menu anew: with the trial's profile, or without. */
export async function writeEntry(change: Change, txn: string, bootDefault: string): Promise<void> {
  await step(change, { txn, name: "trial-entry", intent: { toplevel: bootDefault } }, async () => {
    const end = await switchAndRead(change, {
      txn,
      toplevel: bootDefault,
      action: "boot",
      purpose: "boot",
    });
    if (end.exitCode === 0) return null;
    throw new Fault("system/boot-once-failed", end.message ?? "the entry was not written");
  });
}
