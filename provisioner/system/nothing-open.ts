import { unproved } from "./boot-proof.ts";
import type { EndedTrial } from "./ended-trials.ts";
import { firstBootAt, hasStrayMarks } from "./first-boot.ts";
import { checkJournal } from "./journal.ts";
import type { Ledger } from "./ledger.ts";
import { openMachine } from "./machine.ts";
import type { BootProof, Recovery, UnprovedBoot } from "./system.ts";
import type { Change, Work } from "./work.ts";

/**
 * Whether the journal leaves nothing open, nor anything to be said of what has ended, and no first boot
 * is to be taken up; only reads.
 */
export function isClean({
  io,
  storeFiles,
  paths,
}: Pick<Change, "io" | "storeFiles" | "paths">): boolean {
  const { ledger, torn, damage } = checkJournal(io.files, paths.journal);
  const isOpen = ledger.state.state !== "none" || ledger.unconcluded !== null;
  if (torn !== null || damage !== null || isOpen) return false;
  if (hasStrayMarks({ storeFiles, paths })) return false;
  const machine = openMachine(io, storeFiles, paths);
  return firstBootAt({ machine, storeFiles, paths }) === undefined;
}

/** The answer where nothing is open. */
export function nothingOpen({ machine }: Work, { proof, ended }: Ledger): Recovery {
  const now = { booted: machine.booted(), running: machine.running(), bootId: machine.bootId };
  return {
    state: "clean",
    transaction: null,
    details: [],
    fault: null,
    trial: null,
    back: null,
    unproved: withJudging(unproved(proof, now), ended),
  };
}

function withJudging(proof: BootProof | null, ended: readonly EndedTrial[]): UnprovedBoot | null {
  if (proof === null) return null;
  const trial = ended.findLast(({ txn }) => txn === proof.transaction);
  return { ...proof, judging: trial?.attempt.judging ?? null };
}
