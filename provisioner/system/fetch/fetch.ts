import { Fault } from "#core/fault.ts";
import type { ManifestPath } from "#generated/provisioner/system/fetch/manifest.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import { abandonBuild } from "../abandon.ts";
import { mayBeCorrupt, newTransaction } from "../build.ts";
import type { ChangeReason, Closure } from "../system.ts";
import { type Change, dropRoots, dropStrayRoots, step } from "../work.ts";
import { writeSources } from "../write-sources.ts";
import { inBatches, openBringer } from "./bring-paths.ts";
import { readTrustedKeys } from "./fetch-settings.ts";
import { missingBytes } from "./missing-bytes.ts";
import { storeMismatch } from "./store-info.ts";
import { type VerifiedManifest, verifyManifest } from "./verify-manifest.ts";

/** So often paths are looked for again: a garbage collection may have been faster than a root. */
const rounds = 3;
const shownPaths = 5;

/** What is asked of {@link fetchClosure}. */
export interface FetchRequest {
  /** Text of a signed manifest. */
  readonly signed: string;
  /** What the system must be made from; `null` when its sources are not known here. */
  readonly sources: Sources | null;
  readonly reason: ChangeReason;
}

/**
 * Fetches a signed system, path by path, each after what it refers to: what is there already is not
 * fetched again, also after a kill. Before it is handed on, the store's own word on every path is
 * compared with the manifest. Throws `system/manifest-invalid`, `system/closure-untrusted`,
 * `system/closure-mismatch` and `system/fetch-failed`; nothing of the running machine has changed then.
 */
export async function fetchClosure(
  change: Change,
  { signed, sources, reason }: FetchRequest,
): Promise<Closure> {
  const manifest = verifyManifest(signed, {
    ...readTrustedKeys(change.fetching.settings),
    store: change.paths.store,
    inputDigest: sources?.digest ?? null,
  });
  await abandonBuild(change, "another system was asked for");
  dropStrayRoots(change);
  const txn = newTransaction(change);
  const repair = mayBeCorrupt(change.journal.records, change.machine.bootId);
  const intent = {
    sourcesDigest: sources?.digest ?? null,
    manifestDigest: manifest.digest,
    reason,
  };
  return step(change, { txn, name: "build", intent }, async () => {
    try {
      if (sources !== null) writeSources(change.io.files, change.paths.sources, sources);
      await bringClosure(change, { txn, manifest, repair });
      dropFetchRoots(change);
      await change.commands.syncStore();
      return closureOf(txn, manifest, { sources, reason });
    } catch (error) {
      dropRoots(change, txn);
      // What was fetched before the failure is in the store as well; the fetch's own fault says more.
      await change.commands.syncStore().catch(() => {});
      throw error;
    }
  });
}

function closureOf(
  transaction: string,
  { toplevel }: VerifiedManifest,
  { sources, reason }: Pick<FetchRequest, "sources" | "reason">,
): Closure {
  return {
    transaction,
    toplevel,
    derivation: null,
    sourcesDigest: sources?.digest ?? null,
    credentials: sources?.credentials ?? [],
    reason,
  };
}

interface Bringing {
  readonly txn: string;
  readonly manifest: VerifiedManifest;
  /** Whether what is in the store already must be read, after a power cut. */
  readonly repair: boolean;
}

/** Brings what is missing, roots the system, and holds the store against the manifest. */
async function bringClosure(change: Change, { txn, manifest, repair }: Bringing): Promise<void> {
  const { toplevel } = manifest;
  dropFetchRoots(change, manifest);
  let store = await dropDifferent(change, manifest);
  if (repair) await mendStore(change, manifest, store);
  for (let round = 1; round <= rounds; round++) {
    if (store.missing.length > 0) await bringMissing(change, manifest, store.missing);
    await change.commands.addRoot({ txn, toplevel, role: "system" });
    store = await lookAtStore(change, manifest);
    if (store.different.size > 0) throw mismatch(store.different, "nothing was activated");
    if (store.missing.length === 0) return;
  }
  const [gone] = store.missing;
  throw new Fault("system/fetch-failed", `${gone?.path}: it does not stay in the store`);
}

/** Brings and takes in batch by batch; every batch is rooted until the system itself is. */
async function bringMissing(
  change: Change,
  manifest: VerifiedManifest,
  missing: readonly ManifestPath[],
): Promise<void> {
  const { commands, io, paths, emit } = change;
  const { staging, bring } = openBringer(change, manifest.paths);
  const { bytes: totalBytes } = missingBytes(manifest, new Set(missing.map(({ path }) => path)));
  let doneBytes = 0;
  for (const entries of inBatches(missing)) {
    emit({ type: "fetch-progress", doneBytes, totalBytes });
    await bring(entries);
    await commands.store.importStaged({
      entries,
      staging: io.files.hostPath(paths.staging),
      root: `${fetchRoots(change, manifest)}/${baseName(entries[0]?.path ?? "")}`,
    });
    staging.drop(entries);
    doneBytes += entries.reduce((sum, { narSize }) => sum + narSize, 0);
  }
  emit({ type: "fetch-progress", doneBytes, totalBytes });
}

/** What the store has of a manifest. */
interface StoreView {
  /** Paths that are not there, each after what it refers to. */
  readonly missing: readonly ManifestPath[];
  /** Paths that are not what the manifest says, and how. */
  readonly different: ReadonlyMap<string, string>;
}

async function lookAtStore({ commands }: Change, { paths }: VerifiedManifest): Promise<StoreView> {
  const infos = await commands.store.storeInfo(paths.map(({ path }) => path));
  const found = new Map(infos.map((info) => [info.path, info]));
  const different = new Map<string, string>();
  for (const entry of paths) {
    const info = found.get(entry.path);
    const why = info === undefined ? undefined : storeMismatch(entry, info);
    if (why !== undefined) different.set(entry.path, why);
  }
  return { missing: paths.filter(({ path }) => !found.has(path)), different };
}

/**
 * Drops paths that are in the store with another content, built here and not reproducible. Throws
 * `system/closure-mismatch` where something still uses one, before anything is fetched.
 */
async function dropDifferent(change: Change, manifest: VerifiedManifest): Promise<StoreView> {
  const before = await lookAtStore(change, manifest);
  if (before.different.size === 0) return before;
  await change.commands.store.deletePaths([...before.different.keys()]);
  const after = await lookAtStore(change, manifest);
  if (after.different.size === 0) return after;
  throw mismatch(after.different, "something on this machine uses it");
}

/** A power cut may have left paths that are valid by name only: their content is fetched again. */
async function mendStore(
  change: Change,
  manifest: VerifiedManifest,
  { missing }: StoreView,
): Promise<void> {
  const { commands, io, paths } = change;
  const absent = new Set(missing);
  const there = manifest.paths.filter((entry) => !absent.has(entry));
  const corrupt = new Set(await commands.store.corruptPaths(there.map(({ path }) => path)));
  if (corrupt.size === 0) return;
  const entries = there.filter(({ path }) => corrupt.has(path));
  const { staging, bring } = openBringer(change, manifest.paths);
  await bring(entries);
  for (const { path } of entries) {
    await commands.store.repairPath({ path, from: { staging: io.files.hostPath(paths.staging) } });
  }
  staging.drop(entries);
  const [still] = await commands.store.corruptPaths([...corrupt]);
  if (still === undefined) return;
  throw new Fault("system/fetch-failed", `${still}: damaged in the store, and not mended`);
}

/** Roots of a fetch that is under way: kept when it is killed, so that it can go on. */
function fetchRoots({ paths }: Change, { digest }: VerifiedManifest): string {
  return `${paths.gcRoots}/fetch-${digest.slice(0, 32)}`;
}

/** Drops the roots of every other fetch, or of all. */
function dropFetchRoots(change: Change, keep?: VerifiedManifest): void {
  const { storeFiles, paths } = change;
  for (const name of storeFiles.list(paths.gcRoots)) {
    const root = `${paths.gcRoots}/${name}`;
    const kept = keep !== undefined && root === fetchRoots(change, keep);
    if (name.startsWith("fetch-") && !kept) storeFiles.remove(root);
  }
}

function mismatch(different: ReadonlyMap<string, string>, end: string): Fault {
  const reasons = [...different.values()];
  const more = reasons.length > shownPaths ? `; and ${reasons.length - shownPaths} more` : "";
  const message = `${reasons.slice(0, shownPaths).join("; ")}${more}; ${end}`;
  return new Fault("system/closure-mismatch", message);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
