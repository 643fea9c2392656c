import type { RandomAccess } from "#core/io.ts";
import { probeFat } from "./fat.ts";
import { openImage } from "./image.ts";
import { probeIso9660 } from "./iso9660.ts";

/** What a name in a volume stands for. */
export interface VolumeEntry {
  readonly name: string;
  readonly kind: "file" | "directory" | "link" | "other";
  /** Bytes of a file; 0 of anything else. */
  readonly size: number;
}

/**
 * A file system on a disk or in an image, read without mounting it. Paths are relative to its root,
 * parts joined by `/`; they are compared as the file system does (FAT: without regard to case).
 * Every method may throw `datasource/malformed` with the place and the reason, or `io/read-failed`.
 */
export interface Volume {
  readonly type: "iso9660" | "vfat";
  /** The label; `null` when it has none. */
  readonly label: string | null;
  /** Every label, the first is `label`: FAT holds one in its root directory and one in the boot sector. */
  readonly labels: readonly string[];
  /** The number of a FAT volume as blkid shows it: `9796-932E`. */
  readonly serial: string | null;
  /** Entries of a directory (default: the root) in the order of the disk. Throws when it is none. */
  list(directory?: string): readonly VolumeEntry[];
  /**
   * The bytes of a file, or `undefined` when there is none of that name. Throws `io/too-large` when
   * it has more than `maxBytes`, `datasource/malformed` when it is not a regular file.
   */
  read(path: string, maxBytes: number): Uint8Array | undefined;
}

/**
 * The ISO 9660 or FAT file system on an open file or device, or `undefined` when there is none.
 * Reads a boot sector and the volume descriptors, nothing else, and never faults for what they say:
 * a broken image keeps its label and faults when it is read. `name` stands in messages.
 */
export function openVolume(access: RandomAccess, name = "image"): Volume | undefined {
  const image = openImage(access, name);
  return probeFat(image) ?? probeIso9660(image);
}
