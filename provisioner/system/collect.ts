import { describeFault, Fault, isFault } from "#core/fault.ts";
import { newTransaction } from "./build.ts";
import { spaceOf } from "./disk-space.ts";
import { findLeftovers, type Leftovers, removeLeftovers } from "./leftovers.ts";
import { readNeeded } from "./needed.ts";
import { type JudgedGeneration, judgeGenerations, type RetentionLimits } from "./retention.ts";
import { standingGenerations } from "./standing.ts";
import { switchAndRead } from "./switch.ts";
import { hasAttempt } from "./transaction-state.ts";
import { type Change, openTransaction, type Work } from "./work.ts";

/** What a collection did, or would do. */
export interface Collected {
  readonly dryRun: boolean;
  /** Every generation that was there, oldest first. */
  readonly generations: readonly JudgedGeneration[];
  /** Outside of the store. */
  readonly removed: Leftovers;
  /** Room in the store. */
  readonly freeBytes: { readonly before: number; readonly after: number };
  /** What could not be done, one sentence each; the next collection tries again. */
  readonly incomplete: readonly string[];
}

/** How a collection is done. */
export interface CollectOptions {
  readonly limits: RetentionLimits;
  readonly dryRun: boolean;
  /** Shreds every file of a secret but these; gives back the names of the shredded. */
  readonly shred: (keep: ReadonlySet<string>) => readonly string[];
  /** Does a change under the lock. */
  readonly locked: <T>(action: (change: Change) => Promise<T>) => Promise<T>;
}

/** More rounds than generations that the limits may keep. */
const maxRounds = 1_000;

/**
 * Deletes the generations that need not stay, what only they needed, and garbage of the store.
 * Killed anywhere, the next collection finishes it: what is to go is found out anew each time, and
 * a mark says that boot entries are still to be written. The lock is not held while Nix collects.
 */
export async function collect(work: Work, options: CollectOptions): Promise<Collected> {
  const { dryRun, limits } = options;
  const before = freeBytes(work);
  const first = await oneRound(work, options, 0);
  if (dryRun) return { dryRun, ...first, freeBytes: { before, after: before } };
  let all = first;
  const incomplete = [...first.incomplete, ...(await collectGarbage(work, limits, first))];
  for (let round = 1; round < maxRounds && incomplete.length === 0; round++) {
    if (freeBytes(work) >= limits.minFreeBytes || limits.garbage === "never") break;
    const next = await oneRound(work, options, 1);
    if (next.generations.every(({ stays }) => stays)) break;
    incomplete.push(...next.incomplete, ...(await collectGarbage(work, limits, next)));
    all = merge(all, next);
  }
  return { dryRun, ...all, incomplete, freeBytes: { before, after: freeBytes(work) } };
}

type Round = Pick<Collected, "generations" | "removed" | "incomplete">;

/** Judges and deletes once; `forRoom` generations more than the limits say. */
async function oneRound(work: Work, options: CollectOptions, forRoom: number): Promise<Round> {
  const { limits, dryRun, shred, locked } = options;
  const judge = (now: Work) =>
    judgeGenerations(standingGenerations(now), limits, { nowMs: now.io.clock.now(), forRoom });
  if (dryRun) {
    const generations = judge(work);
    return { generations, removed: leftoversOf(work, generations, limits), incomplete: [] };
  }
  return locked(async (change) => {
    const open = openTransaction(change);
    if (hasAttempt(open)) {
      throw new Fault("system/transaction-open", `the trial ${open.txn} is ${open.state}`);
    }
    const generations = judge(change);
    const incomplete = await deleteGenerations(change, generations);
    const removed = leftoversOf(change, generations, limits);
    removeLeftovers(change, removed, shred);
    return { generations, removed, incomplete };
  });
}

/** With boot entries that no longer name them; the mark stays until that is done. */
async function deleteGenerations(
  change: Change,
  generations: readonly JudgedGeneration[],
): Promise<readonly string[]> {
  const { io, paths, commands, machine } = change;
  const going = generations.filter(({ stays }) => !stays).map(({ generation }) => generation);
  if (going.length === 0 && io.files.stat(paths.collecting) === undefined) return [];
  io.files.write(paths.collecting, `${JSON.stringify({ v: 1, going })}\n`, { mode: 0o600 });
  if (going.length > 0) await commands.deleteGenerations(going);
  await commands.syncStore();
  const { toplevel } = machine.profile();
  if (toplevel !== null) {
    const txn = newTransaction(change);
    const end = await switchAndRead(change, { txn, toplevel, action: "boot", purpose: "boot" });
    if (end.exitCode !== 0) return [`boot entries could not be written: ${end.message}`];
  }
  io.files.remove(paths.collecting);
  return [];
}

/** What the generations that stay, and what runs besides, do not need. */
function leftoversOf(
  work: Work,
  generations: readonly JudgedGeneration[],
  { maxAgeMs }: RetentionLimits,
): Leftovers {
  const { machine } = work;
  const others = [machine.running(), machine.booted(), machine.profile().toplevel];
  const toplevels = new Set([
    ...generations.flatMap(({ stays, toplevel }) => (stays ? [toplevel] : [])),
    ...others.filter((toplevel) => toplevel !== null),
  ]);
  return findLeftovers(work, readNeeded(work, toplevels), maxAgeMs);
}

/** Not while a boot entry may still lead to what would go. */
async function collectGarbage(
  work: Work,
  { garbage, minFreeBytes }: RetentionLimits,
  { incomplete }: Round,
): Promise<readonly string[]> {
  const missing = minFreeBytes - freeBytes(work);
  if (incomplete.length > 0 || garbage === "never") return [];
  if (garbage === "needed" && missing <= 0) return [];
  try {
    await work.commands.collectGarbage(garbage === "always" ? null : missing);
    return [];
  } catch (error) {
    if (!isFault(error) || isFault(error, "system/canceled")) throw error;
    return [`the garbage of the store was not collected: ${describeFault(error).message}`];
  }
}

function freeBytes({ storeFiles, paths }: Work): number {
  return spaceOf(storeFiles, paths.store).availableBytes;
}

/** Two rounds as one: what the first one knew, and what went in either. */
function merge(first: Round, next: Round): Round {
  const later = new Map(next.generations.map((judged) => [judged.generation, judged]));
  return {
    generations: first.generations.map((judged) => later.get(judged.generation) ?? judged),
    removed: {
      sources: [...first.removed.sources, ...next.removed.sources],
      credentials: [...first.removed.credentials, ...next.removed.credentials],
      stamps: [...first.removed.stamps, ...next.removed.stamps],
    },
    incomplete: [...first.incomplete, ...next.incomplete],
  };
}
