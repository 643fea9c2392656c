import type { BlockDevice } from "./block-devices.ts";
import type { Place } from "./first-readable.ts";

/** Everywhere that a datasource of disks was found, each kind in the order in which it is tried. */
export interface DrivePlaces {
  readonly directories: readonly string[];
  readonly disks: readonly BlockDevice[];
}

/** All places in the order in which they are tried, directories first. */
export function describePlaces({ directories, disks }: DrivePlaces): readonly Place[] {
  return [
    ...directories.map((directory) => ({
      place: `directory ${directory}`,
      identity: `directory ${directory}`,
      removable: false,
    })),
    ...disks.map((device) => ({
      place: `disk ${device.node}`,
      identity: `disk ${device.identity}`,
      removable: device.removable,
    })),
  ];
}
