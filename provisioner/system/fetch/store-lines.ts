import type { CommandLine, CommandSettings } from "../command-lines.ts";
import type { StoreInfo } from "./store-info.ts";

/** Paths whose archives lie in a staging directory. */
export interface Importing {
  readonly entries: readonly StoreInfo[];
  /** The directory, for the programs of this host. */
  readonly staging: string;
  /** GC root of the first; the others' have a number behind it. */
  readonly root: string;
}

/** A path whose content is to be put right. */
export interface Repairing {
  readonly path: string;
  /**
   * A staging directory that holds its archive; the caches that Nix itself trusts; or its derivation,
   * to build it again.
   */
  readonly from: { readonly staging: string } | "substituters" | "derivation";
}

const storeMs = 300_000;
/** What `xz -9` needs is a quarter of it; a file may ask for gigabytes. */
const unpackMemory = "256MiB";

const unpackers: Readonly<Record<string, readonly string[]>> = {
  xz: ["xz", "--decompress", "--force", "--no-sparse", `--memlimit-decompress=${unpackMemory}`],
  bzip2: ["bzip2", "--decompress", "--force"],
};

/** The exact commands for what is asked of the store. */
export function storeLines({
  buildTimeoutMs,
  substituters = [],
}: Pick<CommandSettings, "buildTimeoutMs"> & Partial<Pick<CommandSettings, "substituters">>) {
  return {
    /** Prints those that are not valid, and fails for none. */
    invalidPaths: (paths: readonly string[]): CommandLine => ({
      argv: ["nix-store", "--check-validity", "--print-invalid", ...paths],
      timeoutMs: storeMs,
    }),
    storeInfo: (paths: readonly string[]): CommandLine => ({
      argv: ["nix-store", "--dump-db", ...paths],
      timeoutMs: storeMs,
    }),
    /** Prints every path that these need, themselves included. */
    closures: (paths: readonly string[]): CommandLine => ({
      argv: ["nix-store", "--query", "--requisites", ...paths],
      timeoutMs: storeMs,
    }),
    importStaged: ({ entries, staging, root }: Importing): CommandLine => ({
      argv: [
        "nix-store",
        "--realise",
        ...entries.map(({ path }) => path),
        "--add-root",
        root,
        ...fromStaging(staging),
      ],
      timeoutMs: buildTimeoutMs,
      effect: "nix-store --realise from staging",
    }),
    /** Prints them and everything that needs them. */
    referrers: (paths: readonly string[]): CommandLine => ({
      argv: ["nix-store", "--query", "--referrers-closure", ...paths],
      timeoutMs: storeMs,
    }),
    deletePaths: (paths: readonly string[]): CommandLine => ({
      argv: ["nix-store", "--delete", ...paths],
      timeoutMs: storeMs,
      effect: "nix-store --delete",
    }),
    /** Reads every byte of them. */
    verifyPaths: (paths: readonly string[]): CommandLine => ({
      argv: ["nix-store", "--verify-path", ...paths],
      timeoutMs: buildTimeoutMs,
    }),
    /** Reads every byte of the store, and forgets paths that are gone. */
    verifyStore: (): CommandLine => ({
      argv: ["nix-store", "--verify", "--check-contents"],
      timeoutMs: buildTimeoutMs,
      effect: "nix-store --verify --check-contents",
    }),
    repairPath: ({ path, from }: Repairing): CommandLine => ({
      argv: ["nix-store", "--repair-path", path, ...contentFrom(from, substituters)],
      timeoutMs: buildTimeoutMs,
      effect: "nix-store --repair-path",
    }),
    /** Ends by a signal when the file gets larger than it can be. */
    unpack: (program: string, file: string, maxBytes: number): CommandLine => ({
      argv: ["prlimit", `--fsize=${maxBytes}`, ...(unpackers[program] ?? [program]), file],
      timeoutMs: buildTimeoutMs,
      effect: `unpack with ${program}`,
      missing: "system/cache-unusable",
    }),
  };
}

export type StoreLines = ReturnType<typeof storeLines>;

function contentFrom(from: Repairing["from"], substituters: readonly string[]): readonly string[] {
  if (from === "derivation") return ["--option", "substitute", "false"];
  if (from !== "substituters") return fromStaging(from.staging);
  // Without a builder nothing is built where no cache has it.
  return ["--option", "substituters", substituters.join(" "), "--option", "max-jobs", "0"];
}

/** Every archive there was verified: Nix need not ask who signed it, and checks its hash again. */
function fromStaging(staging: string): readonly string[] {
  const cache = `file://${staging}?trusted=1`;
  return ["--option", "substitute", "true", "--option", "substituters", cache];
}
