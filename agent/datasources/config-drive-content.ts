import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { openBlockDevice } from "./block-devices.ts";
import { type ConfigDriveSeed, readDrive } from "./config-drive-documents.ts";
import { type ConfigDrivePlaces, describePlaces } from "./config-drive-places.ts";
import { makeContent } from "./content.ts";
import type { DatasourceContent } from "./datasource.ts";
import {
  type Candidate,
  faultOfAll,
  findUnread,
  findUnusable,
  readFirst,
} from "./first-readable.ts";
import { openVolume } from "./images/volume.ts";

/**
 * Reads the first config drive that can be read. Throws its fault where there is none, and
 * `datasource/none` where its owner does not want it (`dsmode`).
 */
export function readConfigDrive(
  files: Files,
  places: ConfigDrivePlaces,
  evidence: readonly string[],
): DatasourceContent {
  const first = readFirst(candidatesOf(files, places));
  const { used } = first;
  if (used === undefined) throw faultOfAll(first.problems) ?? gone();
  const { seed, ...place } = used;
  refuseUnwanted(seed, place.place);
  return makeContent({
    datasource: { name: "ConfigDrive", ...place, evidence: [...evidence, seed.evidence] },
    metaData: seed.metaData,
    publicKeys: seed.publicKeys,
    documents: seed.documents,
    defaultInstanceId: "iid-dsconfigdrive",
    findings: [...findUnusable(first), ...findUnread(first), ...seed.findings],
  });
}

function candidatesOf(
  files: Files,
  places: ConfigDrivePlaces,
): readonly Candidate<ConfigDriveSeed>[] {
  const reads = [
    ...places.directories.map((directory) => () => readDirectory(files, directory)),
    ...places.disks.map((device) => () => {
      const access = openBlockDevice(files, device);
      try {
        const volume = openVolume(access, device.node);
        if (volume === undefined) throw noFileSystem(device.node);
        return readDrive({
          name: device.node,
          read: (path, maxBytes) => volume.read(path, maxBytes),
          list: (path) => volume.list(path).map(({ name }) => name),
        });
      } finally {
        access.close();
      }
    }),
  ];
  return describePlaces(places).flatMap((place, index) => {
    const read = reads[index];
    return read === undefined ? [] : [{ ...place, read }];
  });
}

function readDirectory(files: Files, directory: string): ConfigDriveSeed {
  return readDrive({
    name: directory,
    read: (path, maxBytes) => files.read(`${directory}/${path}`, { maxBytes }),
    list: (path) => files.list(path === "" ? directory : `${directory}/${path}`),
  });
}

/** `pass` is cloud-init's word for what only writes files and claims nothing. */
function refuseUnwanted({ dsmode }: ConfigDriveSeed, place: string): void {
  if (dsmode !== "disabled" && dsmode !== "pass") return;
  throw new Fault("datasource/none", `${place}: the meta-data says dsmode: ${dsmode}`);
}

function noFileSystem(node: string): Fault {
  return new Fault(
    "datasource/malformed",
    `${node}: an ISO 9660 or FAT file system was expected, there is none`,
  );
}

function gone(): Fault {
  return new Fault("datasource/missing", "no config drive is left of those that were found");
}
