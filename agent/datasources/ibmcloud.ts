import type { Files } from "#core/io.ts";
import { isContainer } from "../container.ts";
import type { BlockDevice } from "./block-devices.ts";
import type { Datasource, Observe } from "./datasource.ts";
import type { DriveDetection } from "./drive-datasource.ts";
import { describePlaces, preferPinned } from "./drive-places.ts";
import type { Volume } from "./images/volume.ts";
import { findDisks, hasLabel } from "./seed-disks.ts";

const configLabels = ["config-2", "CONFIG-2"];
const configSerial = "9796-932E";
const metaDataLabels = ["METADATA", "metadata"];
/** While these say that the machine is being provisioned it is somebody else's. */
const provisioning = {
  settings: "/root/provisioningConfiguration.cfg",
  log: "/root/swinstall.log",
};

/**
 * IBM Cloud's classic machines (https://docs.cloud-init.io/en/latest/reference/datasources/ibmcloud.html),
 * which are guests of Xen: a disk labelled `config-2` with the number 9796-932E, or one labelled
 * `METADATA` on machines that came of a template. Both have OpenStack's layout.
 */
export const ibmCloud: Datasource<DriveDetection> = {
  name: "IBMCloud",
  needs: "disk",
  detect({ files }, observe = () => {}) {
    const evidence: string[] = [];
    const disks = findIbmDisks(files, (observation) => {
      evidence.push(observation);
      observe(observation);
    });
    const places = { directories: [], disks };
    const [first] = describePlaces(places);
    return first === undefined || isBeingProvisioned(files, observe)
      ? undefined
      : { ...first, evidence, places };
  },
  preferring: preferPinned,
  async read({ files }, { places, evidence }) {
    const { readConfigDrive } = await import("./config-drive-content.ts");
    const as = { name: "IBMCloud", defaultInstanceId: "iid-ibmcloud" };
    return readConfigDrive(files, { ...as, places, evidence });
  },
};

/** The disks of IBM Cloud, the config drive first. */
export function findIbmDisks(files: Files, observe: Observe): readonly BlockDevice[] {
  if (!isXenGuest(files)) return [];
  const isConfig = (volume: Volume) =>
    volume.serial === configSerial && hasLabel(volume, configLabels);
  return [
    ...findDisks(files, { fits: isConfig, observe }),
    ...findDisks(files, { fits: (volume) => hasLabel(volume, metaDataLabels), observe }),
  ];
}

function isXenGuest(files: Files): boolean {
  if (isContainer(files)) return false; // then that is the machine around it
  const type = files.readText("/sys/hypervisor/type", { maxBytes: 64 })?.trim();
  return type === "xen" || files.stat("/proc/xen") !== undefined;
}

/** Whether the provisioning's log is of this boot, which began with the first process. */
function isBeingProvisioned(files: Files, observe: Observe): boolean {
  if (files.stat(provisioning.settings) === undefined) return false;
  const written = files.stat(provisioning.log)?.modifiedMs;
  const booted = files.stat("/proc/1/environ")?.modifiedMs;
  const isNow = written === undefined || (booted !== undefined && written > booted);
  if (isNow) observe(`${provisioning.settings}: the machine is being provisioned`);
  return isNow;
}
