import type { Files } from "#core/io.ts";
import type { Observe } from "./datasource.ts";
import type { DrivePlaces } from "./drive-places.ts";
import { findIbmDisks } from "./ibmcloud.ts";
import { findSeedDisks } from "./seed-disks.ts";

const directories = ["/var/lib/cloud/seed/config_drive", "/config-drive"];
const labels = ["config-2", "CONFIG-2"];

/** Looks for config drives; of disks only the label is read. Those of IBM Cloud are its own. */
export function findConfigDrives(files: Files, observe: Observe): DrivePlaces {
  const ofIbm = findIbmDisks(files, () => {}).map(({ node }) => node);
  return {
    directories: directories.filter((directory) => isConfigDrive(files, directory, observe)),
    disks: findSeedDisks(files, labels, observe).filter(({ node }) => !ofIbm.includes(node)),
  };
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
