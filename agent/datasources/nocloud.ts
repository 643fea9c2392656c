import { Fault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import { makeContent, type RawDocuments } from "./content.ts";
import type { Datasource, Detection, ReadTools } from "./datasource.ts";
import { placeOfDisk, placesTogether, putFirst } from "./drive-places.ts";
import type { Place } from "./first-readable.ts";
import { type MetaData, mergeMetaData, metaDataFinding } from "./meta-data.ts";
import { firstPlaces, type Layer, placeOfDirectory, readLayers } from "./nocloud-layers.ts";
import { findNoCloudPlaces, type NoCloudPlaces } from "./nocloud-places.ts";
import { readSeedFrom } from "./nocloud-seed-from.ts";

/** A detection that remembers its places, so that reading looks at the same ones. */
export interface NoCloudDetection extends Detection {
  readonly places: NoCloudPlaces;
}

/**
 * NoCloud: a seed directory and a disk labelled `cidata` or `CIDATA`, as cloud-init has it
 * (https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html). Meta-data of serial
 * number, kernel command line, directory and disk are merged, the earlier counts; user-data,
 * vendor-data and network-config are those of the last place that has them. Of several directories
 * the first is read, of several disks the one with the highest name, but those that the node is pinned to before
 * them.
 *
 * Other than in cloud-init, a seed that cannot be read faults where there is no other and has a
 * finding where there is.
 */
export const noCloud: Datasource<NoCloudDetection> = {
  name: "NoCloud",
  needs: "disk",
  detect({ files }, observe = () => {}) {
    const evidence: string[] = [];
    const places = findNoCloudPlaces(files, (observation) => {
      evidence.push(observation);
      observe(observation);
    });
    const first = firstPlaces(places);
    return first.length === 0 ? undefined : { ...describePlaces(first), evidence, places };
  },
  preferring(detection, identity) {
    const pinned = pinnedPlaces(detection.places, identity);
    if (pinned === undefined) return detection;
    const { places, leftOut } = pinned;
    return { ...detection, ...describePlaces(firstPlaces(places)), places, leftOut };
  },
  async read({ files }, { places, evidence }, tools) {
    const { layers, findings } = readLayers(files, places);
    const { read, leftOut } = await followSeedFrom(files, layers, tools);
    const place = describePlaces(layers);
    const metaData = mergeLayers(read);
    if (metaData.value["dsmode"] === "disabled") {
      throw new Fault("datasource/none", `${place.place}: the meta-data says dsmode: disabled`);
    }
    const documents = lastDocuments(read);
    return makeContent({
      datasource: {
        name: "NoCloud",
        ...place,
        evidence: [...evidence, ...read.map((layer) => layer.evidence)],
      },
      metaData,
      documents,
      defaultInstanceId: "nocloud",
      findings: [
        ...findings,
        ...leftOut,
        ...overriding(read),
        ...legacyNetwork(metaData, documents),
      ],
    });
  },
};

/**
 * The places with the directory and the disk first that together are the ones of this identity; where it
 * is without a directory, or without a disk, all of that kind are left out. `undefined` where it is not found.
 */
function pinnedPlaces(
  found: NoCloudPlaces,
  identity: string,
): { readonly places: NoCloudPlaces; readonly leftOut: readonly Place[] } | undefined {
  for (const directory of [undefined, ...found.directories]) {
    for (const disk of [undefined, ...found.disks]) {
      const directories = directory === undefined ? [] : putFirst(found.directories, directory);
      const disks = disk === undefined ? [] : putFirst(found.disks, disk);
      const places = { ...found, directories, disks };
      if (describePlaces(firstPlaces(places)).identity !== identity) continue;
      const leftOut = [
        ...(directory === undefined ? found.directories.map(placeOfDirectory) : []),
        ...(disk === undefined ? found.disks.map(placeOfDisk) : []),
      ];
      return { places, leftOut };
    }
  }
  return undefined;
}

function describePlaces(places: readonly Place[]): Place {
  return {
    place: places.map(({ place }) => place).join(", "),
    identity: places.map(({ identity }) => identity).join(placesTogether),
    removable: places.some(({ removable }) => removable),
  };
}

/** Adds the seed that `seedfrom` points at, whose documents stand for all others. */
async function followSeedFrom(
  files: Files,
  layers: readonly Layer[],
  tools: ReadTools | undefined,
): Promise<{ readonly read: readonly Layer[]; readonly leftOut: readonly Finding[] }> {
  const seedFrom = mergeLayers(layers).value["seedfrom"];
  if (typeof seedFrom !== "string") return { read: layers, leftOut: [] };
  const { seed, findings, ...place } = await readSeedFrom(files, seedFrom, tools);
  const own = { ...place, removable: false, ...seed };
  const others = layers.map((layer) => ({ ...layer, documents: {} }));
  return { read: [...others, own], leftOut: findings };
}

function mergeLayers(layers: readonly Layer[]): MetaData {
  return {
    value: mergeMetaData(layers.map(({ metaData }) => metaData.value)),
    findings: layers.flatMap(({ metaData }) => metaData.findings),
    locate: (path) => {
      for (const { metaData } of layers) {
        const place = metaData.locate(path);
        if (place !== undefined) return place;
      }
      return undefined;
    },
  };
}

/** A network-config of no bytes does not replace another one; the other documents do. */
function lastDocuments(layers: readonly Layer[]): RawDocuments {
  const all = layers.map(({ documents }) => documents);
  return {
    userData: all.findLast(({ userData }) => userData !== undefined)?.userData,
    vendorData: all.findLast(({ vendorData }) => vendorData !== undefined)?.vendorData,
    networkConfig: all.findLast(({ networkConfig }) => networkConfig?.length)?.networkConfig,
  };
}

/** The user-data of a directory that a disk's takes the place of. */
function overriding(layers: readonly Layer[]): readonly Finding[] {
  const withUserData = layers.filter(({ documents }) => documents.userData !== undefined);
  const used = withUserData.at(-1);
  return withUserData.slice(0, -1).map(({ place }) => ({
    document: place,
    path: "",
    line: null,
    column: null,
    level: "warning",
    code: "datasource/several",
    message: `its user-data is not used: ${used?.place ?? "a later place"} has another; meta-data of both is merged`,
    hint: "remove the place that is not meant",
  }));
}

function legacyNetwork(metaData: MetaData, documents: RawDocuments): readonly Finding[] {
  if (metaData.value["network-interfaces"] === undefined) return [];
  const replaced = documents.networkConfig !== undefined;
  const finding = metaDataFinding(metaData, ["network-interfaces"], {
    level: replaced ? "note" : "warning",
    code: "datasource/legacy-network",
    message: replaced ? "not used: there is a network-config" : "not used: this form is not read",
    hint: "write a network-config document (version 2) beside the meta-data",
  });
  return [finding];
}
