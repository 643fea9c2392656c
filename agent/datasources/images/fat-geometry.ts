import type { Image } from "./image.ts";

// The FAT specification (Microsoft, fatgen103) and fs/fat/inode.c of Linux, which differs in
// telling FAT32 by the empty 16-bit table size, not by the number of clusters alone.
const directoryEntrySize = 32;
const maxFat12Clusters = 4084;

/** Where the parts of a FAT file system lie; offsets and sizes in bytes. */
export interface FatGeometry {
  readonly bits: 12 | 16 | 32;
  /** Offset of the table in use. */
  readonly tableOffset: number;
  readonly clusterSize: number;
  /** Offset of cluster 2, the first. */
  readonly dataOffset: number;
  /** Number of clusters; they are numbered from 2. */
  readonly clusters: number;
  /** The root directory: a region of its own, or a chain of clusters (FAT32). */
  readonly root:
    | { readonly offset: number; readonly length: number }
    | { readonly cluster: number };
  /** Label of the boot sector, `null` when it has none. */
  readonly label: string | null;
  /** Number of the volume as blkid shows it, `9796-932E`; `null` when it has none. */
  readonly serial: string | null;
}

/** Reads the boot sector, `undefined` when it is not that of a FAT file system. */
export function readFatGeometry(image: Image): FatGeometry | undefined {
  if (image.size < 512) return undefined;
  const boot = image.structure(0, 512, "boot sector");
  const sectorSize = boot.readUInt16LE(11);
  const sectorsPerCluster = boot.readUInt8(13);
  const reserved = boot.readUInt16LE(14);
  const tables = boot.readUInt8(16);
  const rootEntries = boot.readUInt16LE(17);
  const media = boot.readUInt8(21);
  const sectors = boot.readUInt16LE(19) || boot.readUInt32LE(32);
  const tableSectors16 = boot.readUInt16LE(22);
  const tableSectors = tableSectors16 || boot.readUInt32LE(36);
  const plausible =
    boot.readUInt16LE(510) === 0xaa55 &&
    [512, 1024, 2048, 4096].includes(sectorSize) &&
    sectorsPerCluster > 0 &&
    (sectorsPerCluster & (sectorsPerCluster - 1)) === 0 &&
    reserved > 0 &&
    tables > 0 &&
    (media === 0xf0 || media >= 0xf8) &&
    sectors > 0 &&
    tableSectors > 0;
  if (!plausible) return undefined;

  const isFat32 = tableSectors16 === 0;
  const rootOffset = (reserved + tables * tableSectors) * sectorSize;
  const rootSectors = Math.ceil((rootEntries * directoryEntrySize) / sectorSize);
  const dataOffset = rootOffset + rootSectors * sectorSize;
  const dataSectors = sectors - dataOffset / sectorSize;
  if (dataSectors < sectorsPerCluster) return undefined;
  const counted = Math.floor(dataSectors / sectorsPerCluster);
  const bits = isFat32 ? 32 : counted > maxFat12Clusters ? 16 : 12;
  const entriesInTable = Math.floor((tableSectors * sectorSize * 8) / bits);
  return {
    bits,
    tableOffset: (reserved + (isFat32 ? activeTable(boot, tables) : 0) * tableSectors) * sectorSize,
    clusterSize: sectorsPerCluster * sectorSize,
    dataOffset,
    clusters: Math.max(0, Math.min(counted, entriesInTable - 2)),
    root: isFat32
      ? { cluster: boot.readUInt32LE(44) }
      : { offset: rootOffset, length: rootEntries * directoryEntrySize },
    label: bootLabel(boot, isFat32 ? 66 : 38),
    serial: bootSerial(boot, isFat32 ? 66 : 38),
  };
}

/** Number of the table in use where mirroring is off. */
function activeTable(boot: Buffer, tables: number): number {
  const extended = boot.readUInt16LE(40);
  const active = extended & 0x0f;
  return (extended & 0x80) !== 0 && active < tables ? active : 0;
}

/** The label after the extended boot signature 0x29 at `at`. */
function bootLabel(boot: Buffer, at: number): string | null {
  return boot[at] === 0x29 ? readLabel(boot.subarray(at + 5, at + 16)) : null;
}

/** The number after it. */
function bootSerial(boot: Buffer, at: number): string | null {
  if (boot[at] !== 0x29) return null;
  const digits = boot
    .readUInt32LE(at + 1)
    .toString(16)
    .padStart(8, "0")
    .toUpperCase();
  return `${digits.slice(0, 4)}-${digits.slice(4)}`;
}

/** A label of eleven bytes, `null` when it says that there is none. */
export function readLabel(field: Buffer): string | null {
  const label = field.toString("latin1").replace(/[ \0]+$/, "");
  return label === "" || label === "NO NAME" ? null : label;
}
