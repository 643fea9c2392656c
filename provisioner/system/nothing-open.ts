import { unproved } from "./boot-proof.ts";
import { checkJournal } from "./journal.ts";
import type { Ledger } from "./ledger.ts";
import type { Recovery } from "./system.ts";
import type { Change, Work } from "./work.ts";

/** Whether the journal leaves nothing open, nor anything to be said of what has ended; only reads. */
export function isClean({ io, paths }: Pick<Change, "io" | "paths">): boolean {
  const { ledger, torn, damage } = checkJournal(io.files, paths.journal);
  const isOpen = ledger.state.state !== "none" || ledger.unconcluded !== null;
  return torn === null && damage === null && !isOpen;
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
