import { Fault } from "#core/fault.ts";
import { readKey } from "./keys.ts";
import type { Metadata } from "./metadata.ts";
import { timeOf } from "./metadata.ts";
import { delegatedSigners, type Signers, signersOf, verifiedSigners } from "./threshold.ts";
import { knownNowMs, type TimeContext } from "./time.ts";
import { type TrustedState, versionsOf } from "./trusted.ts";

/** One role as a node believes it, and why. */
export interface RoleStanding {
  /** `root`, `timestamp`, `snapshot`, `targets`, `director`, or a builder. */
  readonly role: string;
  /** `null` as long as nothing of it was taken. */
  readonly version: number | null;
  readonly expires: string | null;
  readonly isExpired: boolean;
  /** So many of the keys must sign. */
  readonly threshold: number;
  readonly keys: readonly {
    readonly keyid: string;
    readonly algorithm: "ed25519" | "ecdsa-p256";
    /** Whether it has signed what is believed. */
    readonly hasSigned: boolean;
  }[];
}

/** Everything that a node believes, for whoever asks why. */
export interface Standing {
  readonly roles: readonly RoleStanding[];
  readonly timeFloor: string | null;
  /** No release with a lower number; 0 where the owners say none. */
  readonly minimumRelease: number;
  readonly revoked: readonly string[];
  /** Set where what is believed has expired and nothing newer came. */
  readonly stale: Fault | null;
}

/** What is believed, role by role. Pure; each signature is verified anew. */
export function standingOf(trusted: TrustedState, context: TimeContext): Standing {
  const { root, targets } = trusted;
  const of = (role: string, metadata: Metadata | undefined, signers: Signers | undefined) =>
    signers === undefined ? [] : [roleStanding({ role, metadata, signers }, trusted, context)];
  const delegates = targets?.signed.delegations?.roles ?? [];
  return {
    roles: [
      ...of("root", root, signersOf(root, "root")),
      ...of("timestamp", trusted.timestamp, signersOf(root, "timestamp")),
      ...of("snapshot", trusted.snapshot, signersOf(root, "snapshot")),
      ...of("targets", targets, signersOf(root, "targets")),
      ...delegates.flatMap(({ name }) =>
        of(
          name,
          name === "director" ? trusted.director : trusted.delegated[name],
          targets === undefined ? undefined : delegatedSigners(targets, name),
        ),
      ),
    ],
    timeFloor: trusted.timeFloor,
    minimumRelease: targets?.signed.minimumRelease ?? 0,
    revoked: targets?.signed.revoked ?? [],
    stale: staleness(trusted, context),
  };
}

/**
 * TUF's freeze attack seen from the node: nobody offers anything newer than what has expired. `null`
 * as long as the newest of the timestamp counts, or nothing was ever taken.
 */
export function staleness(trusted: TrustedState, context: TimeContext): Fault | null {
  const { timestamp } = trusted;
  if (timestamp === undefined) return null;
  const { expires } = timestamp.signed;
  if (timeOf(expires, "timestamp") > knownNowMs(trusted, context)) return null;
  const { timestamp: version } = versionsOf(trusted);
  return new Fault(
    "trust/stale",
    `timestamp ${version} expired at ${expires}, and nothing newer came`,
  );
}

interface RoleInput {
  readonly role: string;
  readonly metadata: Metadata | undefined;
  readonly signers: Signers;
}

function roleStanding(
  { role, metadata, signers }: RoleInput,
  trusted: TrustedState,
  context: TimeContext,
): RoleStanding {
  const signed = metadata === undefined ? [] : verifiedSigners(metadata, signers);
  const expires = metadata?.signed.expires ?? null;
  return {
    role,
    version: metadata?.signed.version ?? null,
    expires,
    isExpired: expires !== null && timeOf(expires, role) <= knownNowMs(trusted, context),
    threshold: signers.threshold,
    keys: signers.keyids.flatMap((keyid) => {
      const key = Object.hasOwn(signers.keys, keyid) ? signers.keys[keyid] : undefined;
      if (key === undefined) return [];
      const { algorithm, fingerprint } = readKey(keyid, key);
      return [{ keyid, algorithm, hasSigned: signed.includes(fingerprint) }];
    }),
  };
}
