import type { Files } from "#core/io.ts";
import type { BlockDevice } from "./block-devices.ts";
import type { Observe } from "./datasource.ts";
import type { Place } from "./first-readable.ts";
import { findSeedDisks } from "./seed-disks.ts";

const directories = ["/var/lib/cloud/seed/config_drive", "/config-drive"];
const labels = ["config-2", "CONFIG-2"];

/** Everywhere that a config drive was found, each kind in the order in which it is tried. */
export interface ConfigDrivePlaces {
  readonly directories: readonly string[];
  readonly disks: readonly BlockDevice[];
}

/** Looks for config drives; of disks only the label is read. */
export function findConfigDrives(files: Files, observe: Observe): ConfigDrivePlaces {
  return {
    directories: directories.filter((directory) => isConfigDrive(files, directory, observe)),
    disks: findSeedDisks(files, labels, observe),
  };
}

/** All places in the order in which they are tried, directories first. */
export function describePlaces(places: ConfigDrivePlaces): readonly Place[] {
  return [
    ...places.directories.map((directory) => ({
      place: `directory ${directory}`,
      identity: `directory ${directory}`,
      removable: false,
    })),
    ...places.disks.map((device) => ({
      place: `disk ${device.node}`,
      identity: `disk ${device.identity}`,
      removable: device.removable,
    })),
  ];
}

/** Whether a directory holds `openstack/VERSION/meta_data.json`. */
function isConfigDrive(files: Files, directory: string, observe: Observe): boolean {
  if (files.stat(`${directory}/openstack`) === undefined) return false;
  const versions = files
    .list(`${directory}/openstack`)
    .filter((name) => name === "latest" || /^\d{4}-\d\d-\d\d$/.test(name));
  const whole = versions.filter(
    (version) => files.stat(`${directory}/openstack/${version}/meta_data.json`) !== undefined,
  );
  const shown = whole.join(", ") || "no version with meta_data.json";
  observe(`${directory}/openstack: ${shown}`);
  return whole.length > 0;
}
