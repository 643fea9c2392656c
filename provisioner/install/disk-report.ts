import type { BlockDevice } from "#generated/provisioner/facts/facts.ts";
import type { PartitionTable } from "./partition-table.ts";
import type { Signature } from "./signatures.ts";

/**
 * What three witnesses say of the disks of a machine: plain JSON, and all that a disk is chosen from.
 * A witness that could not be asked is `null` with its reason in `unheard`; it is never an empty list.
 */
export interface DiskReport {
  readonly v: 1;
  /** The kernel's files and udev's database. */
  readonly kernel: readonly KernelDisk[] | null;
  /** `lsblk`, which asks the same kernel by code that is not ours. */
  readonly lsblk: readonly LsblkDisk[] | null;
  /** What stands on the disks, by the kernel's name; `null` of one that cannot be read. */
  readonly content: Readonly<Record<string, DiskContent | null>>;
  /** Names below `/dev/disk/by-id` and the device that each points at. */
  readonly links: Readonly<Record<string, string>>;
  /** PARTUUID that the boot loader says it was started from; `null` where it says none. */
  readonly loaderPartition: string | null;
  readonly unheard: readonly Unheard[];
}

/** A question without an answer. */
export interface Unheard {
  readonly witness: "kernel" | "lsblk" | "content" | "mounts" | "links";
  readonly why: string;
}

/** A disk by the kernel. */
export interface KernelDisk
  extends Pick<
    BlockDevice,
    "name" | "sizeBytes" | "removable" | "readOnly" | "model" | "transport" | "wwid"
  > {
  /** Of a sector as the disk is addressed. */
  readonly sectorBytes: number | null;
  /** Whether it is a memory card in a slot; an eMMC is none. */
  readonly isCard: boolean;
  /** By udev's blkid; `none` when it found nothing. */
  readonly signature: string | null;
  readonly partitionTable: string | null;
  /** Names that udev says are this disk's, by its own record. */
  readonly claims: readonly string[];
  readonly partitions: readonly KernelPartition[];
  /** What uses it now, as the end of a sentence: `is mounted at /home`. */
  readonly uses: readonly string[];
}

/** A partition by the kernel. */
export interface KernelPartition {
  readonly name: string;
  readonly number: number;
  readonly sizeBytes: number | null;
  readonly signature: string | null;
}

/** A disk by `lsblk`. */
export interface LsblkDisk {
  readonly name: string;
  readonly sizeBytes: number | null;
  readonly removable: boolean | null;
  readonly readOnly: boolean | null;
  readonly transport: string | null;
  readonly serial: string | null;
  readonly wwn: string | null;
  readonly partitions: readonly { readonly name: string; readonly sizeBytes: number | null }[];
  /** On the disk, its partitions and all that lies on them. */
  readonly signatures: readonly string[];
  readonly mounts: readonly string[];
}

/** What was read from the disk itself. */
export interface DiskContent {
  readonly table: PartitionTable;
  /** On the disk as a whole. */
  readonly signatures: readonly Signature[];
  /** By the number of the partition. */
  readonly partitions: Readonly<Record<string, readonly Signature[]>>;
  /** Whether its first and its last MiB hold zeros only. */
  readonly isBlank: boolean;
  /** SHA-256 of its first and its last MiB, where every partition table stands. */
  readonly tableHash: string;
  /** Whether somebody holds it open for himself: mounted, or part of a set; `null` where that cannot be asked. */
  readonly isHeld: boolean | null;
}
