import { printable } from "#core/printable.ts";

/** What building a system would need. */
export interface BuildNeed {
  /** Derivations that would be built, the system's own among them. */
  readonly builds: readonly string[];
  /** Paths that would be fetched from caches. */
  readonly fetches: readonly string[];
  /** Over the network. */
  readonly downloadBytes: number;
  /** In the store. */
  readonly unpackedBytes: number;
  /** Paths that Nix can neither build nor fetch. */
  readonly unknown: readonly string[];
}

export const noNeed: BuildNeed = {
  builds: [],
  fetches: [],
  downloadBytes: 0,
  unpackedBytes: 0,
  unknown: [],
};

const unitBytes: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/**
 * Reads what `nix-store --realise --dry-run` says on stderr. The words before the lists changed with
 * the versions (`this derivation`, `these derivations`, `these 3 derivations`; the unit of sizes), so
 * only what they have in common is looked for; lines of another kind end a list.
 */
export function parseDryRun(stderr: string): BuildNeed {
  const lists: Record<ListName, string[]> = { builds: [], fetches: [], unknown: [] };
  let list: string[] | undefined;
  let downloadBytes = 0;
  let unpackedBytes = 0;
  for (const line of printable(stderr).split("\n")) {
    const path = /^\s+(\/\S+)$/.exec(line)?.[1];
    if (path !== undefined) {
      list?.push(path);
      continue;
    }
    const name = listName(line);
    list = name === undefined ? undefined : lists[name];
    if (name !== "fetches") continue;
    downloadBytes += sizeBefore(line, "download");
    unpackedBytes += sizeBefore(line, "unpacked");
  }
  return { ...lists, downloadBytes, unpackedBytes };
}

type ListName = "builds" | "fetches" | "unknown";

function listName(line: string): ListName | undefined {
  if (/\bwill be built\b.*:/.test(line)) return "builds";
  if (/\bwill be fetched\b.*:/.test(line)) return "fetches";
  return /don't know how to build/.test(line) ? "unknown" : undefined;
}

function sizeBefore(line: string, word: string): number {
  const [, count, unit = ""] =
    new RegExp(`([0-9]+(?:\\.[0-9]+)?) ([KMGT]?i?B) ${word}`).exec(line) ?? [];
  return Math.round(Number(count ?? 0) * (unitBytes[unit] ?? 0));
}
