import { toBootProof } from "./boot-proof.ts";
import { takeUpFirstBoot } from "./settle-first-boot.ts";
import type { BootProof, Verdict } from "./system.ts";
import { type Change, step } from "./work.ts";

/** What was found out about a trial after it had ended. */
export interface Conclusion {
  readonly transaction: string;
  readonly conclusive: boolean;
  readonly reasons: readonly string[];
}

/** Writes down whether what a trial failed fails without it as well; then its release is held back no longer. */
export async function conclude(
  change: Change,
  { transaction: txn, conclusive, reasons }: Conclusion,
): Promise<null> {
  const ended = change.journal.ledger.ended.some((trial) => trial.txn === txn);
  if (!ended) return null;
  const intent = { conclusive, reasons };
  return step(change, { txn, name: "conclude", intent }, async () => null);
}

/** Writes down how the committed system was when it had been booted. */
export async function prove(change: Change, verdict: Verdict): Promise<BootProof | null> {
  const { proof } = change.journal.ledger;
  if (proof === null || proof.toplevel !== change.machine.booted()) return null;
  const { transaction: txn, toplevel } = proof;
  const { healthy, reasons } = verdict;
  await takeUpFirstBoot(change, () =>
    step(change, { txn, name: "prove", intent: { toplevel } }, async () => ({ healthy, reasons })),
  );
  const { proof: now } = change.journal.ledger;
  return now === null ? null : toBootProof(now);
}
