import { Fault } from "#core/fault.ts";
import type { ManifestPath } from "#generated/provisioner/system/fetch/manifest.ts";
import { openBringer } from "../fetch/bring-paths.ts";
import type { Work } from "../work.ts";
import type { Mended } from "./report.ts";

/**
 * Puts the content of one store path right: from the caches of `fetch`, from those that Nix itself
 * trusts, or by building it again from its derivation. After each try it is read: how it was mended,
 * or `undefined` when it was not.
 */
export async function mendPath(work: Work, entry: ManifestPath): Promise<Mended["by"] | undefined> {
  const { store } = work.commands;
  const { path } = entry;
  const isWhole = async () => (await store.corruptPaths([path])).length === 0;
  if ((await isStaged(work, entry)) && (await isWhole())) return "cache";
  if (work.settings.substituters.length > 0) {
    await store.repairPath({ path, from: "substituters" });
    if (await isWhole()) return "cache";
  }
  await store.repairPath({ path, from: "derivation" });
  return (await isWhole()) ? "rebuild" : undefined;
}

/** Whether a cache had the archive that the store's own database asks for, and Nix has taken it. */
async function isStaged(work: Work, entry: ManifestPath): Promise<boolean> {
  const { fetching, commands, io, paths } = work;
  if (fetching.settings.caches.length === 0) return false;
  const { staging, bring } = openBringer(work);
  try {
    await bring([entry]);
    const directory = io.files.hostPath(paths.staging);
    return await commands.store.repairPath({ path: entry.path, from: { staging: directory } });
  } catch (error) {
    if (error instanceof Fault && error.code !== "system/canceled") return false;
    throw error;
  } finally {
    staging.drop([entry]);
  }
}
