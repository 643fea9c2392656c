import type { Work } from "../work.ts";

/** Where the paths of a fetch that is under way are rooted: kept when it is killed, so that it can go on. */
export function fetchRoots({ paths }: Pick<Work, "paths">, manifestDigest: string): string {
  return `${paths.gcRoots}/fetch-${manifestDigest.slice(0, 32)}`;
}

/** Drops the roots of every fetch but the one of the manifest `keep`. */
export function dropFetchRoots(
  { storeFiles, paths }: Pick<Work, "storeFiles" | "paths">,
  keep: string | null,
): void {
  for (const name of storeFiles.list(paths.gcRoots)) {
    const root = `${paths.gcRoots}/${name}`;
    const kept = keep !== null && root === fetchRoots({ paths }, keep);
    if (name.startsWith("fetch-") && !kept) storeFiles.remove(root);
  }
}

/** Drops all that fetches have left to go on from: a system was had without them. */
export function dropFetched(work: Pick<Work, "io" | "storeFiles" | "paths">): void {
  dropFetchRoots(work, null);
  work.io.files.remove(work.paths.staging);
}
