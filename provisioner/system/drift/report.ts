/** Where a machine has drifted: from its sources to what lies on the disk. */
export type DriftLayer = "intent" | "result" | "running" | "store";

/** What kind of drift it is; part of the public reports. */
export type DriftKind =
  /** A file of the sources is not what was committed. */
  | "source-changed"
  /** /etc/nixos does not describe what was committed. */
  | "not-published"
  /** The owner's local.nix is not the one that was built in. */
  | "local-changed"
  /** The sources no longer evaluate to the system that was built from them. */
  | "result-differs"
  /** Another generation was chosen in the boot menu. */
  | "chosen-at-boot"
  /** Another system was activated by hand. */
  | "switched-by-hand"
  /** Nothing runs that firstlight knows of. */
  | "nothing-runs"
  /** The boot default is another system. */
  | "other-default"
  /** What was committed takes effect with a reboot only. */
  | "reboot-pending"
  /** A file of /etc is not the system's. */
  | "etc-changed"
  /** A unit was changed beside the system. */
  | "unit-changed"
  | "unit-failed"
  /** A path of the system is not in the store. */
  | "path-missing"
  /** The content of a store path is not what it was. */
  | "path-corrupt";

/** What brings it back. */
export type Remedy =
  /** `firstlight drift --repair`. */
  | "repair"
  /** `firstlight apply`. */
  | "apply"
  | "reboot"
  /** A person did it, and a person undoes it. */
  | "person";

/** One thing that is not as it was declared. */
export interface DriftItem {
  readonly layer: DriftLayer;
  readonly kind: DriftKind;
  /** Path, unit or name. */
  readonly subject: string;
  readonly declared: string;
  readonly actual: string;
  /** Since when, as far as the machine knows; of damage in the store: when it was found. */
  readonly since: string | null;
  /** Who made it so, where somebody is known. */
  readonly by: string | null;
  /** `note`: somebody wanted it so, and it is left alone. */
  readonly level: "error" | "warning" | "note";
  readonly remedy: Remedy;
}

/** What a machine is held against: what was committed last. */
export interface Declared {
  readonly generation: number | null;
  readonly toplevel: string;
  readonly sourcesDigest: string | null;
  readonly at: string;
  /** Who asked for it and why. */
  readonly by: string;
}

/** How far the store has been read since the current round began. */
export interface StoreRound {
  /** Paths and bytes that were read, and of how many. */
  readonly paths: number;
  readonly ofPaths: number;
  readonly bytes: number;
  readonly ofBytes: number;
  readonly startedAt: string;
  /** When the last whole round ended. */
  readonly lastFullAt: string | null;
}

/** Everything that was looked at, and what was found. */
export interface DriftReport {
  readonly v: 1;
  readonly at: string;
  readonly deep: boolean;
  /** `null` where firstlight has committed nothing yet. */
  readonly declared: Declared | null;
  readonly items: readonly DriftItem[];
  /** `null` where nothing was read. */
  readonly store: StoreRound | null;
  /** What could not be looked at, and why. */
  readonly unseen: readonly string[];
}

/** What was mended. */
export interface RepairReport {
  readonly repaired: readonly Mended[];
  /** Store paths that could not be mended. */
  readonly unrepaired: readonly string[];
  /** Newest earlier generation that does not need them, or `null`. */
  readonly fallback: number | null;
  /** What is found after it. */
  readonly after: DriftReport;
}

export interface Mended {
  readonly subject: string;
  /** How: from a cache, by building it again, or by writing it again. */
  readonly by: "cache" | "rebuild" | "rewrite";
}
