import type { BlockDevice } from "./block-devices.ts";
import type { Detection } from "./datasource.ts";
import type { Place } from "./first-readable.ts";

/** Between the identities of places that are read together. */
export const placesTogether = " + ";

/** Everywhere that a datasource of disks was found, each kind in the order in which it is tried. */
export interface DrivePlaces {
  readonly directories: readonly string[];
  readonly disks: readonly BlockDevice[];
}

/** The same in the same order, but this one first, where it is among them. */
export function putFirst<Item>(items: readonly Item[], first: Item | undefined): readonly Item[] {
  const isFirst = (item: Item) => item === first;
  return [...items.filter(isFirst), ...items.filter((item) => !isFirst(item))];
}

/**
 * A detection of drives with the place first that a node is pinned to (`Datasource.preferring`).
 * Directories come before disks, so that they are left out where it is a disk.
 */
export function preferPinned<Found extends Detection & Place & { readonly places: DrivePlaces }>(
  detection: Found,
  identity: string,
): Found {
  const { directories, disks } = detection.places;
  const isPinned = (place: Place) => place.identity === identity;
  const directory = directories.find((path) => isPinned(placeOfDirectory(path)));
  const disk = disks.find((device) => isPinned(placeOfDisk(device)));
  if (directory === undefined && disk === undefined) return detection;
  const left = directory === undefined ? directories : [];
  const places = {
    directories: directory === undefined ? [] : putFirst(directories, directory),
    disks: putFirst(disks, disk),
  };
  const leftOut = left.map(placeOfDirectory);
  return { ...detection, ...describePlaces(places)[0], places, leftOut };
}

/** All places in the order in which they are tried, directories first. */
export function describePlaces({ directories, disks }: DrivePlaces): readonly Place[] {
  return [...directories.map(placeOfDirectory), ...disks.map(placeOfDisk)];
}

function placeOfDirectory(directory: string): Place {
  const place = `directory ${directory}`;
  return { place, identity: place, removable: false };
}

/** A disk as a place. */
export function placeOfDisk({ node, identity, removable }: BlockDevice): Place {
  return { place: `disk ${node}`, identity: `disk ${identity}`, removable };
}
