import { describeFault, Fault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import type { BuildPolicy } from "./build-policy.ts";
import type { CommandLines, CommandSettings } from "./command-lines.ts";
import { allRoots, isRootName, rootOf } from "./command-lines.ts";
import type { Commands, SystemRoot, Talk } from "./commands.ts";
import type { Courier } from "./fetch/courier.ts";
import type { FetchSettings } from "./fetch/fetch-settings.ts";
import type { Step, Steps } from "./journal-record.ts";
import type { Machine } from "./machine.ts";
import type { Journal } from "./open-journal.ts";
import { isTrialLink, type SystemPaths } from "./paths.ts";
import type { TransactionState } from "./transaction-state.ts";

/** What one request works with; made by the driver, passed down as it is. */
export interface Work extends Talk {
  readonly io: Io;
  readonly paths: SystemPaths;
  readonly settings: CommandSettings;
  readonly policy: BuildPolicy;
  readonly storeFiles: Files;
  readonly machine: Machine;
  readonly commands: Commands;
  readonly lines: CommandLines;
  readonly fetching: Fetching;
}

/** How systems that were built elsewhere are fetched. */
export interface Fetching {
  readonly settings: FetchSettings;
  /** Who brings bytes from caches; `null` in a dry run. */
  readonly courier: Courier | null;
}

/** Work that may change the machine: it holds the lock and writes the journal. */
export interface Change extends Work {
  readonly journal: Journal;
}

/**
 * Does one step: its intent is on disk before `action` begins and its result after it has ended.
 * What `action` throws is written down too, and thrown on.
 */
export async function step<S extends Step>(
  change: Change,
  {
    txn,
    name,
    intent,
  }: { readonly txn: string; readonly name: S; readonly intent: Steps[S]["intent"] },
  action: () => Promise<Steps[S]["result"]>,
): Promise<Steps[S]["result"]> {
  const { journal, emit, io } = change;
  const started = io.clock.monotonicMs();
  const ms = () => Math.round(io.clock.monotonicMs() - started);
  journal.intent(txn, name, intent);
  emit({ type: "step", step: name, state: "started", ms: null });
  try {
    const value = await action();
    journal.result(txn, name, { ok: true, value });
    emit({ type: "step", step: name, state: "finished", ms: ms() });
    return value;
  } catch (error) {
    emit({ type: "step", step: name, state: "failed", ms: ms() });
    const { code, message } = describeFault(error);
    try {
      journal.result(txn, name, { ok: false, failure: { code, message } });
    } catch (unwritten) {
      // Without a result the step counts as unfinished; its own error says more than a full disk.
      if (!(unwritten instanceof Fault)) throw unwritten;
    }
    throw error;
  }
}

/** What is written down before the timer of the way back is set. */
export function armIntent({ io }: Work, afterMs: number): Steps["arm"]["intent"] {
  return { afterMs, upMs: Math.round(io.clock.monotonicMs()) };
}

/** What the journal leaves open now. */
export function openTransaction({ journal }: Change): TransactionState {
  return journal.ledger.state;
}

/** Whether the GC root that a transaction needs of a system is there; its build, or its fetch, made it. */
export function isRooted({ storeFiles, paths }: Work, root: SystemRoot): boolean {
  return storeFiles.readLink(rootOf(paths, root)) === root.toplevel;
}

/** Keeps the garbage collector from what is tried and from what is gone back to. */
export async function addRoots(
  change: Change,
  {
    txn,
    toplevel,
    previous,
  }: { readonly txn: string; readonly toplevel: string; readonly previous: string | null },
): Promise<void> {
  const root = { txn, toplevel, role: "system" } as const;
  if (!isRooted(change, root)) await change.commands.addRoot(root);
  if (previous !== null) {
    await change.commands.addRoot({ txn, toplevel: previous, role: "previous" });
  }
}

/** Drops the GC roots of a transaction. */
export function dropRoots({ storeFiles, paths }: Work, txn: string): void {
  for (const root of allRoots(paths, txn)) storeFiles.remove(root);
}

/** Drops the GC roots that no open transaction has: of ones whose end could not be written down. */
export function dropStrayRoots({ storeFiles, paths }: Work): void {
  for (const name of storeFiles.list(paths.gcRoots)) {
    if (isRootName(name)) storeFiles.remove(`${paths.gcRoots}/${name}`);
  }
}

/** Drops the profile that a trial by a restart is booted from. */
export function dropTrialProfile({ storeFiles, paths }: Work): void {
  for (const name of storeFiles.list(paths.trialProfiles)) {
    if (isTrialLink(name)) storeFiles.remove(`${paths.trialProfiles}/${name}`);
  }
}

/** The generation of a system: the profile's current one where it is that, else the newest. */
export function generationOf({ machine }: Work, toplevel: string | null): number | null {
  if (toplevel === null) return null;
  const profile = machine.profile();
  if (profile.toplevel === toplevel && profile.generation !== null) return profile.generation;
  return machine.generations().findLast((made) => made.toplevel === toplevel)?.generation ?? null;
}

/** Throws `system/closure-missing` unless the system is in the store. */
export function checkInStore({ machine }: Work, toplevel: string): void {
  if (machine.inStore(toplevel)) return;
  throw new Fault("system/closure-missing", `${toplevel} is not in the store`);
}
