import type { TrialRecord } from "#provisioner/system/system.ts";

/**
 * The way back by which the system of a transaction was left, after it had been committed, because its first
 * boot did not come as far as to be judged; `undefined` where that is not what happened.
 */
export function leavingOf(
  trials: readonly TrialRecord[],
  transaction: string | null,
): TrialRecord | undefined {
  const at = trials.findLastIndex((trial) => trial.transaction === transaction);
  const committed = trials[at];
  if (committed?.result !== "committed") return undefined;
  const { toplevel } = committed;
  const later = trials.slice(at + 1);
  // One that was committed again since has had its first boot for itself.
  const again = later.findIndex((one) => one.result === "committed" && one.toplevel === toplevel);
  return later.slice(0, again === -1 ? undefined : again).find(({ left }) => left === toplevel);
}
