import type { ManifestPath } from "#generated/provisioner/system/fetch/manifest.ts";

/** What of a system is still to be fetched. */
export interface MissingBytes {
  readonly paths: number;
  /** What it will take in the store. */
  readonly bytes: number;
  /** What will travel, as far as the manifest knows it; unpacked sizes stand for the rest. */
  readonly downloadBytes: number;
  /** The largest archive: it lies in the staging directory as well for a while. */
  readonly largestBytes: number;
}

/** Counts the paths of a manifest that are in `missing`, a set or a question to the store. */
export function missingBytes(
  { paths }: { readonly paths: readonly ManifestPath[] },
  missing: { has(path: string): boolean },
): MissingBytes {
  const entries = paths.filter(({ path }) => missing.has(path));
  const sum = (of: (entry: ManifestPath) => number) =>
    entries.reduce((total, entry) => total + of(entry), 0);
  return {
    paths: entries.length,
    bytes: sum(({ narSize }) => narSize),
    downloadBytes: sum(({ downloadSize, narSize }) => downloadSize ?? narSize),
    largestBytes: Math.max(0, ...entries.map(({ narSize }) => narSize)),
  };
}
