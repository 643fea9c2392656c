import { Fault } from "#core/fault.ts";
import type { Release } from "#generated/protocol/trust/release.ts";
import { validate } from "#generated/protocol/trust/release.validate.js";
import { type AssignedRelease, requireTarget } from "./assignment.ts";
import { checked } from "./metadata.ts";
import { readUntrusted } from "./read-untrusted.ts";

/** A document of a release may be larger than what a message brings. */
const limits = { bytes: 4 * 1024 * 1024, depth: 64, members: 200_000 };

/**
 * Reads the document of an assigned release: the signed bytes and no others. Throws
 * `trust/target-hash`, `trust/limit`, `trust/malformed`, and `trust/mismatch` where it calls itself
 * something else than its owners do.
 */
export function readRelease(bytes: Uint8Array, assigned: AssignedRelease): Release {
  requireTarget(assigned.path, bytes, assigned);
  const release = checked<Release>(validate, readUntrusted(bytes, limits), assigned.path);
  if (release.name === assigned.name && release.number === assigned.number) return release;
  throw new Fault(
    "trust/mismatch",
    `${JSON.stringify(assigned.path)}: it calls itself ${JSON.stringify(release.name)}, number ${release.number}`,
  );
}
