import { findConfigDrives } from "./config-drive-places.ts";
import type { Datasource, Detection } from "./datasource.ts";
import { type DrivePlaces, describePlaces, preferPinned } from "./drive-places.ts";

/** A detection that remembers its places, so that reading looks at the same ones. */
export interface ConfigDriveDetection extends Detection {
  readonly places: DrivePlaces;
}

/**
 * ConfigDrive: OpenStack's config drive, a disk labelled `config-2` or `CONFIG-2`, or a directory
 * with its files, as cloud-init has it
 * (https://docs.cloud-init.io/en/latest/reference/datasources/configdrive.html). Of several places the
 * first that can be read counts: seed directory, `/config-drive`, the disk with the highest name.
 *
 * Other than in cloud-init, a drive that cannot be read faults where there is no other and has a
 * finding where there is. The disk of IBM Cloud, which is labelled `config-2` too, is another datasource's.
 */
export const configDrive: Datasource<ConfigDriveDetection> = {
  name: "ConfigDrive",
  needs: "disk",
  detect({ files }, observe = () => {}) {
    const evidence: string[] = [];
    const places = findConfigDrives(files, (observation) => {
      evidence.push(observation);
      observe(observation);
    });
    const [first] = describePlaces(places);
    return first === undefined ? undefined : { ...first, evidence, places };
  },
  preferring: preferPinned,
  async read({ files }, { places, evidence }) {
    const { readConfigDrive } = await import("./config-drive-content.ts");
    const as = { name: "ConfigDrive", defaultInstanceId: "iid-dsconfigdrive" };
    return readConfigDrive(files, { ...as, places, evidence });
  },
};
