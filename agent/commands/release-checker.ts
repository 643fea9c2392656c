import { isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { TargetsMetadata } from "#generated/protocol/trust/targets.ts";
import { requireAllowed } from "#protocol/trust/assignment.ts";
import { readLedger } from "../update/ledger.ts";
import { trustedStore } from "../update/trusted-store.ts";
import type { CommandDeps } from "./executor.ts";

/**
 * Holds a generation against what the owners have signed last. The ledger says which release it is of; of
 * one that came from no release there is only what it was built from. The check throws `trust/revoked`,
 * `trust/below-minimum`.
 */
export function releaseChecker(io: Io, rootFile: string | undefined): CommandDeps["checkRelease"] {
  return ({ toplevel, sourcesDigest }) => {
    const targets = ownersWord(io, rootFile);
    if (targets === undefined) return;
    const { records } = readLedger(io.files);
    const made = records.findLast(({ update }) => update.toplevel === toplevel)?.update.release;
    const closures = sourcesDigest === null ? [] : [{ inputDigest: sourcesDigest }];
    // Of a system that no release brought there is no number that could be too low.
    const release = made ?? { path: "", number: Number.MAX_SAFE_INTEGER };
    requireAllowed(targets, { release, closures });
  };
}

function ownersWord(io: Io, rootFile: string | undefined): TargetsMetadata | undefined {
  try {
    return trustedStore(io, rootFile).read().trusted.targets;
  } catch (error) {
    if (isFault(error, "trust/not-enrolled")) return undefined;
    throw error;
  }
}
