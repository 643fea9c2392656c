import { describeFault, Fault } from "#core/fault.ts";
import { timestamp } from "#core/io.ts";
import { readJournal } from "../journal.ts";
import { hasAttempt } from "../transaction-state.ts";
import type { Work } from "../work.ts";
import { declaredNow } from "./declared.ts";
import { etcItems } from "./etc-links.ts";
import { intentItems } from "./intent.ts";
import type { Declared, DriftItem, DriftReport, StoreRound } from "./report.ts";
import { resultItems } from "./result.ts";
import { runningItems } from "./running.ts";
import { readStoreShare, type StoreShare } from "./store-round.ts";
import { changedUnits, failedUnits } from "./units.ts";

/** How closely to look. */
export interface DriftOptions {
  /** Evaluates the sources, and reads the whole store. */
  readonly deep: boolean;
  readonly share: StoreShare;
}

/**
 * Compares the machine with what was committed last, layer by layer: sources, what they evaluate to,
 * what runs, what lies in the store. Changes nothing but its own place to go on from. What cannot be
 * looked at is said, and the rest is looked at all the same.
 */
export async function checkDrift(work: Work, { deep, share }: DriftOptions): Promise<DriftReport> {
  const { ledger } = readJournal(work.io.files, work.paths.journal);
  const { ended: trials, state: open } = ledger;
  const declared = declaredNow(trials);
  const head = { v: 1, at: timestamp(work.io.clock), deep, declared } as const;
  if (declared === null) {
    return { ...head, items: [], store: null, unseen: ["firstlight has committed nothing yet"] };
  }
  const look = lookout();
  if (hasAttempt(open)) look.unseen.push(`what runs: the change ${open.txn} is under way`);
  else await look.at("what runs", async () => runningItems(work, declared, trials));
  await look.at("the sources", async () => intentItems(work.io.files, work.paths, declared));
  await look.at("/etc", async () => etcItems(work.io.files, work.storeFiles));
  await look.at("units", async () => [
    ...changedUnits(work.io.files),
    ...(await failedUnits(work.commands, work.io.clock.now())),
  ]);
  if (deep) await look.at("the evaluation", () => resultItems(work, declared));
  const store = await readStore(work, { declared, deep, share }, look);
  return { ...head, items: look.items, store, unseen: look.unseen };
}

/** Looks at one thing after the other, and collects what each came to. */
function lookout() {
  const items: DriftItem[] = [];
  const unseen: string[] = [];
  return {
    items,
    unseen,
    async at(what: string, action: () => Promise<readonly DriftItem[]>): Promise<void> {
      try {
        items.push(...(await action()));
      } catch (error) {
        if (!(error instanceof Fault) || error.code === "system/canceled") throw error;
        unseen.push(`${what}: ${describeFault(error).message}`);
      }
    },
  };
}

async function readStore(
  work: Work,
  { declared, deep, share }: DriftOptions & { readonly declared: Declared },
  look: ReturnType<typeof lookout>,
): Promise<StoreRound | null> {
  let round: StoreRound | null = null;
  await look.at("the store", async () => {
    const reading = await readStoreShare(work, declared, deep ? 1 : share);
    round = reading.round;
    return reading.items;
  });
  if (deep) await look.at("the rest of the store", () => restOfStore(work, look.items));
  return round;
}

/** Paths that no system of this machine needs; they are collected, or built again, when one does. */
async function restOfStore(
  { commands, io }: Work,
  found: readonly DriftItem[],
): Promise<readonly DriftItem[]> {
  const known = new Set(found.map(({ subject }) => subject));
  const corrupt = await commands.store.verifyStore();
  return corrupt
    .filter((path) => !known.has(path))
    .map((path) => ({
      layer: "store",
      kind: "path-corrupt",
      subject: path,
      declared: "the content that Nix has put there",
      actual: "another content; no system of this machine needs it",
      since: timestamp(io.clock),
      by: null,
      level: "warning",
      remedy: "repair",
    }));
}
