import { unproved } from "./boot-proof.ts";
import { firstBootNow, readMarks } from "./first-boot.ts";
import { checkJournal } from "./journal.ts";
import type { Ledger } from "./ledger.ts";
import { openMachine } from "./machine.ts";
import type { Recovery } from "./system.ts";
import type { Change, Work } from "./work.ts";

/** Whether the journal leaves nothing open, and no first boot is to be taken up; only reads. */
export function isClean({
  io,
  storeFiles,
  paths,
}: Pick<Change, "io" | "storeFiles" | "paths">): boolean {
  const { ledger, torn, damage } = checkJournal(io.files, paths.journal);
  if (torn !== null || damage !== null || ledger.state.state !== "none") return false;
  const marks = readMarks({ storeFiles, paths });
  return firstBootNow(marks, openMachine(io, storeFiles, paths).booted()) === "neither";
}

/** The answer where nothing is open. */
export function nothingOpen({ machine }: Work, { proof }: Ledger): Recovery {
  const now = { booted: machine.booted(), running: machine.running(), bootId: machine.bootId };
  return {
    state: "clean",
    transaction: null,
    details: [],
    fault: null,
    trial: null,
    back: null,
    unproved: unproved(proof, now),
  };
}
