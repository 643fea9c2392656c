import type { Files } from "#core/io.ts";
import type { BlockDevice } from "./block-devices.ts";
import { makeContent } from "./content.ts";
import type { Datasource, Detection } from "./datasource.ts";
import { placeOfDisk, putFirst } from "./drive-places.ts";
import {
  type Candidate,
  faultOfAll,
  findUnread,
  findUnusable,
  readFirst,
} from "./first-readable.ts";
import { addSecrets } from "./given-secrets.ts";
import { metaDataOfMachine } from "./machine-instance.ts";
import { findSeedDisks } from "./seed-disks.ts";
import type { Stick } from "./usb-stick.ts";

/** A detection that remembers its disks, so that reading looks at the same ones. */
export interface UsbDetection extends Detection {
  readonly disks: readonly BlockDevice[];
}

const labels = ["FIRSTLIGHT", "firstlight"];

/**
 * A stick, or any other disk, labelled FIRSTLIGHT: for machines that have no cloud. See
 * docs/datasources.md. Of several the one with the highest name is read; one that cannot be read faults
 * where there is no other.
 */
export const usb: Datasource<UsbDetection> = {
  name: "usb",
  needs: "disk",
  detect({ files }, observe = () => {}) {
    const evidence: string[] = [];
    const disks = findSeedDisks(files, labels, (observation) => {
      evidence.push(observation);
      observe(observation);
    });
    const [first] = disks;
    return first === undefined ? undefined : { ...placeOfDisk(first), evidence, disks };
  },
  preferring(detection, identity) {
    const pinned = detection.disks.find((device) => placeOfDisk(device).identity === identity);
    const disks = putFirst(detection.disks, pinned);
    return { ...detection, ...(disks[0] && placeOfDisk(disks[0])), disks };
  },
  async read({ files }, { disks, evidence }) {
    const { readStick } = await import("./usb-stick.ts");
    const read = readFirst(disks.map((device) => candidateOf(files, device, readStick)));
    if (read.used === undefined) throw faultOfAll(read.problems);
    const { seed: stick, ...place } = read.used;
    const content = makeContent({
      datasource: { name: "usb", ...place, evidence: [...evidence, stick.evidence] },
      metaData: stick.metaData ?? metaDataOfMachine(files),
      documents: { userData: stick.userData, networkConfig: stick.networkConfig },
      defaultInstanceId: "usb",
      findings: [...findUnusable(read), ...findUnread(read), ...stick.findings],
    });
    return { ...content, userData: stick.about, ...addSecrets(content, stick.secrets) };
  },
};

function candidateOf(
  files: Files,
  device: BlockDevice,
  read: (files: Files, device: BlockDevice) => Stick,
): Candidate<Stick> {
  return { ...placeOfDisk(device), read: () => read(files, device) };
}
