import type { RootMetadata } from "#generated/protocol/trust/root.ts";
import type { SnapshotMetadata } from "#generated/protocol/trust/snapshot.ts";
import type { TargetsMetadata } from "#generated/protocol/trust/targets.ts";
import type { TimestampMetadata } from "#generated/protocol/trust/timestamp.ts";
import { validate } from "#generated/protocol/trust/trusted-state.validate.js";
import { asRoot, asSnapshot, asTargets, asTimestamp, checked, timeOf } from "./metadata.ts";
import { requireThreshold, signersOf } from "./threshold.ts";

/**
 * What a node believes: the newest of each role that was verified, as it was signed. The versions in
 * it are the floors below which nothing is taken. Plain JSON.
 */
export interface TrustedState {
  readonly v: 1;
  readonly root: RootMetadata;
  readonly timestamp?: TimestampMetadata;
  readonly snapshot?: SnapshotMetadata;
  /** Of the image role. */
  readonly targets?: TargetsMetadata;
  readonly director?: TargetsMetadata;
  /** Of builders, by name. */
  readonly delegated: Readonly<Record<string, TargetsMetadata>>;
  /** It is at least so late, whatever the clock says; `null` as long as nobody said so. */
  readonly timeFloor: string | null;
}

/** Versions of what is believed; 0 where nothing is yet. */
export interface TrustedVersions {
  readonly root: number;
  readonly timestamp: number;
  readonly snapshot: number;
  readonly targets: number;
  readonly director: number;
}

/**
 * What a node believes that knows nothing but the root metadata of its image: its form and that its
 * own keys have signed it; whether it has expired is asked when something is offered. Throws
 * `trust/malformed`, `trust/threshold`.
 */
export function trustedFromRoot(rootMetadata: unknown): TrustedState {
  const root = asRoot(rootMetadata);
  requireThreshold(root, signersOf(root, "root"));
  return { v: 1, root, delegated: {}, timeFloor: root.signed.issued ?? null };
}

/** What was stored before; its forms are checked, its signatures were. Throws `trust/malformed`. */
export function readTrusted(value: unknown): TrustedState {
  const stored = checked(validate, value, "trusted state");
  const { timestamp, snapshot, targets, director } = stored;
  if (stored.timeFloor !== null) timeOf(stored.timeFloor, "trusted state: timeFloor");
  return {
    v: 1,
    root: asRoot(stored.root),
    ...(timestamp === undefined ? {} : { timestamp: asTimestamp(timestamp) }),
    ...(snapshot === undefined ? {} : { snapshot: asSnapshot(snapshot) }),
    ...(targets === undefined ? {} : { targets: asTargets(targets, "targets") }),
    ...(director === undefined ? {} : { director: asTargets(director, "director") }),
    delegated: Object.fromEntries(
      Object.entries(stored.delegated).map(([name, each]) => [name, asTargets(each, name)]),
    ),
    timeFloor: stored.timeFloor,
  };
}

/** The versions of what is believed. */
export function versionsOf(trusted: TrustedState): TrustedVersions {
  return {
    root: trusted.root.signed.version,
    timestamp: trusted.timestamp?.signed.version ?? 0,
    snapshot: trusted.snapshot?.signed.version ?? 0,
    targets: trusted.targets?.signed.version ?? 0,
    director: trusted.director?.signed.version ?? 0,
  };
}

/** The floor's milliseconds since 1970; 0 as long as there is none. */
export function floorMs({ timeFloor }: TrustedState): number {
  return timeFloor === null ? 0 : timeOf(timeFloor, "trusted state: timeFloor");
}
