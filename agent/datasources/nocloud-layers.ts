import type { Finding } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import type { RawDocuments } from "./content.ts";
import { placeOfDisk } from "./drive-places.ts";
import {
  type Candidate,
  faultOfAll,
  findUnread,
  findUnusable,
  type Place,
  readFirst,
} from "./first-readable.ts";
import type { MetaData } from "./meta-data.ts";
import type { NoCloudPlaces } from "./nocloud-places.ts";
import { readSeedDirectory, readSeedDisk, type Seed } from "./nocloud-seed.ts";

/** A place that was read, and what it says. */
export interface Layer extends Place {
  readonly evidence: string;
  readonly metaData: MetaData;
  readonly documents: RawDocuments;
}

/** Layers in the order in which their meta-data counts, and what became of other places. */
export interface Layers {
  readonly layers: readonly Layer[];
  readonly findings: readonly Finding[];
}

/** Seed directories and disks, each kind in the order in which it is tried. */
export function candidatesOf(
  files: Files,
  places: NoCloudPlaces,
): {
  readonly directories: readonly Candidate<Seed>[];
  readonly disks: readonly Candidate<Seed>[];
} {
  return {
    directories: places.directories.map((directory) => ({
      ...placeOfDirectory(directory),
      read: () => readSeedDirectory(files, directory),
    })),
    disks: places.disks.map((device) => ({
      ...placeOfDisk(device),
      read: () => readSeedDisk(files, device),
    })),
  };
}

/** Those that are read where each of them can be: the first of each kind. */
export function firstPlaces({ arguments: named, directories, disks }: NoCloudPlaces) {
  return [
    ...named.map(({ place, identity }): Place => ({ place, identity, removable: false })),
    ...directories.slice(0, 1).map(placeOfDirectory),
    ...disks.slice(0, 1).map(placeOfDisk),
  ];
}

/** A seed directory as a place. */
export function placeOfDirectory(directory: string): Place {
  const place = `seed directory ${directory}`;
  return { place, identity: `directory ${directory}`, removable: false };
}

/**
 * Reads the first whole seed of each kind. One that cannot be read is passed over with a finding
 * where another can; where none can, its fault is thrown: a machine never goes on without its seed.
 */
export function readLayers(files: Files, places: NoCloudPlaces): Layers {
  const { directories, disks } = candidatesOf(files, places);
  const results = [readFirst(disks), readFirst(directories)];
  const seeds = results.flatMap(({ used }) => (used === undefined ? [] : [layerOf(used)]));
  const fault = faultOfAll(results.flatMap(({ problems }) => problems));
  if (seeds.length === 0 && fault !== undefined) throw fault;
  return {
    layers: [...argumentLayers(places), ...seeds.reverse()],
    findings: [...results.flatMap(findUnusable), ...results.flatMap(findUnread)],
  };
}

function layerOf({ seed, ...place }: Place & { readonly seed: Seed }): Layer {
  return { ...place, ...seed };
}

function argumentLayers(places: NoCloudPlaces): readonly Layer[] {
  return places.arguments.map(({ place, identity, metaData }) => ({
    place,
    identity,
    removable: false,
    evidence: `${place}: ds=nocloud with ${Object.keys(metaData).join(", ") || "nothing else"}`,
    metaData: { value: metaData, findings: [], locate: () => undefined },
    documents: {},
  }));
}
