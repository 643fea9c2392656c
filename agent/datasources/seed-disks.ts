import { isFault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { type BlockDevice, listBlockDevices, openBlockDevice } from "./block-devices.ts";
import type { Observe } from "./datasource.ts";
import { quoted } from "./images/image.ts";
import { openVolume, type Volume } from "./images/volume.ts";

/** How disks are looked at. */
export interface DiskSearch {
  /** Whether a disk is meant; called with its file system open. */
  readonly fits: (volume: Volume, device: BlockDevice) => boolean;
  readonly observe: Observe;
  /** Whether what does not fit is told as well. */
  readonly tellsAll?: boolean;
}

/**
 * Disks with an ISO 9660 or FAT file system that has one of the labels, highest name first; of each
 * only the label is read.
 */
export function findSeedDisks(
  files: Files,
  labels: readonly string[],
  observe: Observe,
): readonly BlockDevice[] {
  const fits = (volume: Volume) => hasLabel(volume, labels);
  return findDisks(files, { fits, observe, tellsAll: true });
}

/** Whether a volume has one of the labels. */
export function hasLabel(volume: Volume, labels: readonly string[]): boolean {
  return volume.labels.some((label) => labels.includes(label));
}

/** Disks with an ISO 9660 or FAT file system that fits, highest name first. */
export function findDisks(files: Files, search: DiskSearch): readonly BlockDevice[] {
  return listBlockDevices(files).filter((device) => isMeant(files, device, search));
}

/** A disk that cannot be read is no seed: the drive may be empty, or the disk someone else's. */
function isMeant(
  files: Files,
  device: BlockDevice,
  { fits, observe, tellsAll = false }: DiskSearch,
): boolean {
  try {
    const access = openBlockDevice(files, device);
    try {
      const volume = openVolume(access, device.node);
      const isMeantFor = volume !== undefined && fits(volume, device);
      if (isMeantFor || tellsAll) observe(`${device.node}: ${describe(volume)}`);
      return isMeantFor;
    } finally {
      access.close();
    }
  } catch (error) {
    if (!isFault(error)) throw error;
    if (tellsAll) observe(`not readable: ${error.message}`);
    return false;
  }
}

function describe(volume: Volume | undefined): string {
  if (volume === undefined) return "neither ISO 9660 nor FAT";
  const name = volume.type === "vfat" ? "FAT" : "ISO 9660";
  return `${name}, label ${volume.labels.map(quoted).join(", ") || "none"}`;
}
