import { isFault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { type BlockDevice, listBlockDevices, openBlockDevice } from "./block-devices.ts";
import type { Observe } from "./datasource.ts";
import { quoted } from "./images/image.ts";
import { openVolume } from "./images/volume.ts";
import { type NoCloudArguments, readNoCloudArguments } from "./nocloud-arguments.ts";
import { requiredFiles, seedFiles } from "./nocloud-seed.ts";

const seedDirectories = ["/var/lib/cloud/seed/nocloud", "/var/lib/cloud/seed/nocloud-net"];
const labels = ["cidata", "CIDATA"];

/** Everywhere that NoCloud was found, each kind in the order in which it is tried. */
export interface NoCloudPlaces {
  readonly arguments: readonly NoCloudArguments[];
  /** Directories with at least one of the files of a seed. */
  readonly directories: readonly string[];
  readonly disks: readonly BlockDevice[];
}

/** Looks for NoCloud; of disks only the label is read. */
export function findNoCloudPlaces(files: Files, observe: Observe): NoCloudPlaces {
  const found = {
    arguments: readNoCloudArguments(files),
    directories: seedDirectories.filter((directory) => isSeedDirectory(files, directory, observe)),
    disks: listBlockDevices(files).filter((device) => isSeedDisk(files, device, observe)),
  };
  for (const { place } of found.arguments) observe(`${place}: ds=nocloud`);
  return found;
}

function isSeedDirectory(files: Files, directory: string, observe: Observe): boolean {
  const names = files.list(directory);
  const present = seedFiles.filter((file) => names.includes(file));
  const missing = requiredFiles.filter((file) => !names.includes(file));
  if (present.length > 0) {
    const lack = missing.length === 0 ? "" : `, without ${missing.join(" and ")}`;
    observe(`${directory}: ${present.join(", ")}${lack}`);
  }
  return present.length > 0;
}

/** A disk that cannot be read is no seed: the drive may be empty, or the disk someone else's. */
function isSeedDisk(files: Files, device: BlockDevice, observe: Observe): boolean {
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
