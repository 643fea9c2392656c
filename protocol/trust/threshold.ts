import { Fault } from "#core/fault.ts";
import type { Key } from "#generated/protocol/trust/key.ts";
import type { RootMetadata } from "#generated/protocol/trust/root.ts";
import type { TargetsMetadata } from "#generated/protocol/trust/targets.ts";
import { canonicalBytes } from "./canonical.ts";
import { readKey } from "./keys.ts";

/** Anything that is signed as metadata is. */
interface Signed {
  readonly signed: object;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** Whose signatures count for one role. */
export interface Signers {
  readonly role: string;
  readonly keyids: readonly string[];
  readonly threshold: number;
  readonly keys: Readonly<Record<string, Key>>;
}

/** One of the four roles of root metadata. */
export type RootRole = "root" | "timestamp" | "snapshot" | "targets";

/** Signers of one of the four roles. */
export function signersOf({ signed }: RootMetadata, role: RootRole): Signers {
  return { role, ...signed.roles[role], keys: signed.keys };
}

/** Signers of a delegated role; `undefined` when the targets metadata delegates to none of that name. */
export function delegatedSigners({ signed }: TargetsMetadata, role: string): Signers | undefined {
  const found = signed.delegations?.roles.find(({ name }) => name === role);
  return found === undefined || signed.delegations === undefined
    ? undefined
    : { role, keyids: found.keyids, threshold: found.threshold, keys: signed.delegations.keys };
}

/** Fingerprints of the role's keys that have signed; each key counts once, whatever its ids are. */
export function verifiedSigners(metadata: Signed, signers: Signers): readonly string[] {
  const bytes = canonicalBytes(metadata.signed);
  const signed = new Set<string>();
  const asked = new Set<string>();
  for (const { keyid, sig } of metadata.signatures) {
    if (asked.has(keyid) || !signers.keyids.includes(keyid)) continue;
    asked.add(keyid);
    if (!Object.hasOwn(signers.keys, keyid)) continue;
    const key = readKey(keyid, signers.keys[keyid] as Key);
    if (key.isSigned(bytes, Buffer.from(sig, "hex"))) signed.add(key.fingerprint);
  }
  return [...signed];
}

/**
 * TUF 1.0, section 5.3.4 and its likes: enough of the role's keys have signed. Throws
 * `trust/threshold`, and `trust/malformed` of a key that is none.
 */
export function requireThreshold(metadata: Signed, signers: Signers, what = signers.role): void {
  const count = verifiedSigners(metadata, signers).length;
  if (count >= signers.threshold) return;
  throw new Fault(
    "trust/threshold",
    `${what}: signed by ${count} of the keys of ${signers.role} where ${signers.threshold} are needed`,
  );
}

/** Whether enough of the role's keys have signed. */
export function isVouchedFor(metadata: Signed, signers: Signers | undefined): boolean {
  return signers !== undefined && verifiedSigners(metadata, signers).length >= signers.threshold;
}
