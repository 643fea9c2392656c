import type { DiskBinding } from "./choose-disk.ts";

/** How the disks of an installation are laid out: one description that everything else is made from. */
export interface Layout {
  readonly name: LayoutName;
  /** Whether the table of the disk, its ESP and its home stay as they are. */
  readonly kept?: true;
  readonly disks: readonly LayoutDisk[];
  readonly arrays: readonly LayoutArray[];
  readonly encrypted: readonly Encrypted[];
  readonly fileSystems: readonly LayoutFileSystem[];
  readonly swap: LayoutSwap | null;
  /** Compressed swap in memory. */
  readonly zram: boolean;
  /** By path, parents first. */
  readonly mounts: readonly LayoutMount[];
  readonly bootLoader: LayoutBootLoader;
}

export const layoutNames = ["encrypted", "plain", "mirror", "edge"] as const;
export type LayoutName = (typeof layoutNames)[number];

/** What is asked of a layout. */
export interface LayoutWishes {
  readonly name: LayoutName;
  readonly fileSystem: RootFileSystem;
  /** `memory` is swap of the size of the memory on the disk, for hibernation; `zram` is in memory. */
  readonly swap: "memory" | "zram" | "none";
  /** Whether `/home` has a partition of its own, which a later installation can keep. */
  readonly home: "root" | "partition";
  readonly espMebibytes: number;
}

export const rootFileSystems = ["ext4", "btrfs", "xfs"] as const;
export type RootFileSystem = (typeof rootFileSystems)[number];

/** One disk and its partition table. */
export interface LayoutDisk {
  readonly binding: DiskBinding;
  /** UUID of its table. */
  readonly tableId: string;
  readonly partitions: readonly LayoutPartition[];
}

export type PartitionRole = "esp" | "root" | "swap" | "home" | "state" | "mirror";

/** A partition, to the byte. */
export interface LayoutPartition {
  readonly number: number;
  readonly role: PartitionRole;
  /** Name in the table. */
  readonly name: string;
  readonly uuid: string;
  readonly startBytes: number;
  readonly sizeBytes: number;
}

/** A mirror of software RAID. */
export interface LayoutArray {
  readonly name: string;
  readonly uuid: string;
  /** PARTUUIDs. */
  readonly members: readonly string[];
}

/** Where something lies: on a partition by its UUID, in an array, or in what is encrypted, by name. */
export type On =
  | { readonly partition: string }
  | { readonly array: string }
  | { readonly encrypted: string };

/** A LUKS2 container; all of an installation open with one passphrase. */
export interface Encrypted {
  readonly name: string;
  /** Not made: it is there, and opens with the same passphrase. */
  readonly kept?: true;
  /** Of one that is kept nobody knows it. */
  readonly uuid: string;
  readonly on: On;
}

export interface LayoutFileSystem {
  /** Not made: it is there. Then its UUID is not known. */
  readonly kept?: true;
  readonly role: PartitionRole;
  readonly type: RootFileSystem | "vfat";
  /** Of FAT `1A2B-3C4D`. */
  readonly uuid: string;
  readonly label: string;
  readonly on: On;
  /** Of btrfs; of others none. */
  readonly subvolumes: readonly string[];
}

export interface LayoutSwap {
  readonly uuid: string;
  readonly on: On;
  /** Whether the machine may hibernate into it: in what is encrypted only. */
  readonly hibernate: boolean;
}

/** What is mounted where; `fileSystem` by its UUID, or memory. */
export interface LayoutMount {
  readonly path: string;
  readonly from:
    | { readonly fileSystem: string; readonly subvolume: string | null }
    | { readonly memory: true }
    /** The same directory at a second place. */
    | { readonly bind: string };
  readonly options: readonly string[];
  readonly neededForBoot: boolean;
}

/** What starts the machine: systemd-boot, or GRUB on the ESP of each disk of a mirror. */
export type LayoutBootLoader =
  | { readonly kind: "systemd-boot" }
  | { readonly kind: "grub"; readonly esps: readonly string[] };
