import type { FleetKey } from "#generated/fleet/trust/fleet-key.ts";
import type { RootMetadata } from "#generated/protocol/trust/root.ts";
import type { SnapshotMetadata } from "#generated/protocol/trust/snapshot.ts";
import type { TargetsMetadata } from "#generated/protocol/trust/targets.ts";
import type { TimestampMetadata } from "#generated/protocol/trust/timestamp.ts";

/** What the online roles last signed for one node. */
export interface NodeSet {
  readonly timestamp: TimestampMetadata;
  readonly snapshot: SnapshotMetadata;
  readonly director: TargetsMetadata;
}

/** The signing repository of a fleet as it was read: every signature in it was verified. */
export interface Repository {
  readonly directory: string;
  readonly fleet: string;
  /** By name. */
  readonly keys: ReadonlyMap<string, FleetKey>;
  /** Oldest first, without a gap; empty until the first one is signed. */
  readonly roots: readonly RootMetadata[];
  /** Every version of the image role's, oldest first. */
  readonly targets: readonly TargetsMetadata[];
  /** What waits for signatures. */
  readonly staged: {
    readonly root?: RootMetadata | undefined;
    readonly targets?: TargetsMetadata | undefined;
  };
  /** By the name of the node. */
  readonly nodes: ReadonlyMap<string, NodeSet>;
}

/** The two that owners sign. */
export type StagedRole = "root" | "targets";

/** The newest of a list. */
export function newest<T>(list: readonly T[]): T | undefined {
  return list.at(-1);
}
