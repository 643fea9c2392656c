import { Fault } from "#core/fault.ts";
import type { ManifestPath } from "#generated/provisioner/system/fetch/manifest.ts";
import type { Change, Work } from "../work.ts";
import { openBringer } from "./bring-paths.ts";
import { storeMismatch } from "./store-info.ts";
import type { VerifiedManifest } from "./verify-manifest.ts";

const shownPaths = 5;

/** What the store has of a manifest. */
export interface StoreView {
  /** Paths that are not there, each after what it refers to. */
  readonly missing: readonly ManifestPath[];
  /** Paths that are not what the manifest says, and how. */
  readonly different: ReadonlyMap<string, string>;
}

/** Asks the store's database about every path of the manifest. */
export async function lookAtStore(
  { commands }: Work,
  { paths }: VerifiedManifest,
): Promise<StoreView> {
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
export async function dropDifferent(
  change: Change,
  manifest: VerifiedManifest,
): Promise<StoreView> {
  const before = await lookAtStore(change, manifest);
  if (before.different.size === 0) return before;
  await change.commands.store.deletePaths([...before.different.keys()]);
  const after = await lookAtStore(change, manifest);
  if (after.different.size === 0) return after;
  throw differs(after.different, "something on this machine uses it");
}

/** A power cut may have left paths that are valid by name only: their content is fetched again. */
export async function mendStore(
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
  const { staging, bring } = openBringer(change, { wanted: manifest.paths });
  await bring(entries);
  for (const { path } of entries) {
    await commands.store.repairPath({ path, from: { staging: io.files.hostPath(paths.staging) } });
  }
  staging.drop(entries);
  const [still] = await commands.store.corruptPaths([...corrupt]);
  if (still === undefined) return;
  throw new Fault("system/fetch-failed", `${still}: damaged in the store, and not mended`);
}

/** The fault of paths that differ, some of them named. */
export function differs(different: ReadonlyMap<string, string>, end: string): Fault {
  const reasons = [...different.values()];
  const more = reasons.length > shownPaths ? `; and ${reasons.length - shownPaths} more` : "";
  const message = `${reasons.slice(0, shownPaths).join("; ")}${more}; ${end}`;
  return new Fault("system/closure-mismatch", message);
}
