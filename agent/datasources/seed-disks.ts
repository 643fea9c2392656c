import { isFault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { type BlockDevice, listBlockDevices, openBlockDevice } from "./block-devices.ts";
import type { Observe } from "./datasource.ts";
import { quoted } from "./images/image.ts";
import { openVolume } from "./images/volume.ts";

/**
 * Disks with an ISO 9660 or FAT file system that has one of the labels, highest name first; of each
 * only the label is read.
 */
export function findSeedDisks(
  files: Files,
  labels: readonly string[],
  observe: Observe,
): readonly BlockDevice[] {
  return listBlockDevices(files).filter((device) => hasLabel(files, device, { labels, observe }));
}

/** A disk that cannot be read is no seed: the drive may be empty, or the disk someone else's. */
function hasLabel(
  files: Files,
  device: BlockDevice,
  { labels, observe }: { readonly labels: readonly string[]; readonly observe: Observe },
): boolean {
  try {
    const access = openBlockDevice(files, device);
    try {
      const volume = openVolume(access, device.node);
      const name = volume?.type === "vfat" ? "FAT" : "ISO 9660";
      const shown = volume?.labels.map(quoted).join(", ") || "none";
      observe(
        `${device.node}: ${volume === undefined ? "neither ISO 9660 nor FAT" : `${name}, label ${shown}`}`,
      );
      return volume?.labels.some((label) => labels.includes(label)) ?? false;
    } finally {
      access.close();
    }
  } catch (error) {
    if (!isFault(error)) throw error;
    observe(`not readable: ${error.message}`);
    return false;
  }
}
