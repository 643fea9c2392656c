import { Fault } from "#core/fault.ts";
import type { ManifestPath } from "#generated/provisioner/system/fetch/manifest.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import { abandonBuild } from "../abandon.ts";
import { checkCredentials, mayBeCorrupt, newTransaction } from "../build.ts";
import { checkBootRoom, checkFetchRoom } from "../preflight.ts";
import { readGenerationRecord } from "../read-generation-record.ts";
import { checkRelease } from "../releases.ts";
import type { ChangeReason, Closure } from "../system.ts";
import { type Change, dropRoots, dropStrayRoots, dropTrialProfile, step } from "../work.ts";
import { writeSources } from "../write-sources.ts";
import { inBatches, openBringer } from "./bring-paths.ts";
import { dropFetched, dropFetchRoots, fetchRoots } from "./fetch-roots.ts";
import { readTrustedKeys } from "./fetch-settings.ts";
import { missingBytes } from "./missing-bytes.ts";
import { differs, dropDifferent, lookAtStore, mendStore } from "./store-view.ts";
import { type VerifiedManifest, verifyManifest } from "./verify-manifest.ts";

/** So often paths are looked for again: a garbage collection may have been faster than a root. */
const rounds = 3;

/** What is asked of {@link fetchClosure}. */
export interface FetchRequest {
  /** Text of a signed manifest. */
  readonly signed: string;
  /** What the system must be made from; `null` when its sources are not known here. */
  readonly sources: Sources | null;
  readonly reason: ChangeReason;
  /** Asked before the caches of the settings. */
  readonly caches?: readonly string[];
}

/**
 * Fetches a signed system, path by path, each after what it refers to: what is there already is not
 * fetched again, also after a kill. Before it is handed on, the store's own word on every path is
 * compared with the manifest. Throws `system/manifest-invalid`, `system/closure-untrusted`,
 * `system/closure-mismatch` and `system/fetch-failed`; nothing of the running machine has changed then.
 */
export async function fetchClosure(
  change: Change,
  { signed, sources, reason, caches = [] }: FetchRequest,
): Promise<Closure> {
  const manifest = verifyManifest(signed, {
    ...readTrustedKeys(change.fetching.settings),
    store: change.paths.store,
    inputDigest: sources?.digest ?? null,
  });
  await abandonBuild(change, "another system was asked for");
  const { journal, settings, io } = change;
  const asked = { release: sources?.digest ?? manifest.toplevel, reason };
  checkRelease(journal.ledger.releases, asked, { limits: settings.limits, nowMs: io.clock.now() });
  dropStrayRoots(change);
  dropTrialProfile(change);
  const txn = newTransaction(change);
  const repair = mayBeCorrupt(journal.ledger.unfinishedBuilds, change.machine.bootId);
  const intent = {
    sourcesDigest: sources?.digest ?? null,
    manifestDigest: manifest.digest,
    reason,
  };
  return step(change, { txn, name: "build", intent }, async () => {
    try {
      if (sources !== null) {
        checkCredentials(change, sources);
        writeSources(change.io.files, change.paths.sources, sources);
      }
      await bringClosure(change, { txn, manifest, repair, caches });
      checkBootRoom(change, manifest.toplevel);
      await change.commands.syncStore();
      dropFetched(change);
      return closureOf(change, { txn, manifest, sources, reason });
    } catch (error) {
      dropRoots(change, txn);
      // What was fetched before the failure is in the store as well; the fetch's own fault says more.
      await change.commands.syncStore().catch(() => {});
      throw error;
    }
  });
}

interface Fetched extends Pick<FetchRequest, "sources" | "reason"> {
  readonly txn: string;
  readonly manifest: VerifiedManifest;
}

function closureOf(change: Change, { txn, manifest, sources, reason }: Fetched): Closure {
  const { toplevel } = manifest;
  const credentials = sources?.credentials ?? credentialsIn(change, toplevel);
  checkCredentials(change, { credentials });
  return {
    transaction: txn,
    toplevel,
    derivation: null,
    sourcesDigest: sources?.digest ?? null,
    credentials,
    reason,
  };
}

/** What a system says itself, where its sources are not known here. */
function credentialsIn({ storeFiles }: Change, toplevel: string): readonly string[] {
  const record = readGenerationRecord(storeFiles, toplevel);
  return record === undefined || record === "unreadable" ? [] : record.credentials;
}

interface Bringing {
  readonly txn: string;
  readonly manifest: VerifiedManifest;
  /** Whether what is in the store already must be read, after a power cut. */
  readonly repair: boolean;
  readonly caches: readonly string[];
}

/** Brings what is missing, roots the system, and holds the store against the manifest. */
async function bringClosure(change: Change, bringing: Bringing): Promise<void> {
  const { txn, manifest, repair } = bringing;
  const { toplevel } = manifest;
  dropFetchRoots(change, manifest.digest);
  let store = await dropDifferent(change, manifest);
  if (repair) await mendStore(change, manifest, store);
  for (let round = 1; round <= rounds; round++) {
    if (store.missing.length > 0) await bringMissing(change, bringing, store.missing);
    await change.commands.addRoot({ txn, toplevel, role: "system" });
    store = await lookAtStore(change, manifest);
    if (store.different.size > 0) throw differs(store.different, "nothing was activated");
    if (store.missing.length === 0) return;
  }
  const [gone] = store.missing;
  throw new Fault("system/fetch-failed", `${gone?.path}: it does not stay in the store`);
}

/** Brings and takes in batch by batch; every batch is rooted until the system itself is. */
async function bringMissing(
  change: Change,
  { manifest, caches }: Bringing,
  missing: readonly ManifestPath[],
): Promise<void> {
  const { commands, io, paths, emit } = change;
  const { staging, bring } = openBringer(change, { wanted: manifest.paths, caches });
  const need = missingBytes(manifest, new Set(missing.map(({ path }) => path)));
  checkFetchRoom(change, need);
  const totalBytes = need.bytes;
  let doneBytes = 0;
  for (const entries of inBatches(missing)) {
    emit({ type: "fetch-progress", doneBytes, totalBytes });
    await bring(entries);
    await commands.store.importStaged({
      entries,
      staging: io.files.hostPath(paths.staging),
      root: `${fetchRoots(change, manifest.digest)}/${baseName(entries[0]?.path ?? "")}`,
    });
    staging.drop(entries);
    doneBytes += entries.reduce((sum, { narSize }) => sum + narSize, 0);
  }
  emit({ type: "fetch-progress", doneBytes, totalBytes });
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
