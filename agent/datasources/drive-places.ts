import type { BlockDevice } from "./block-devices.ts";
import type { Place } from "./first-readable.ts";

/** Between the identities of places that are read together. */
export const placesTogether = " + ";

/** Everywhere that a datasource of disks was found, each kind in the order in which it is tried. */
export interface DrivePlaces {
  readonly directories: readonly string[];
  readonly disks: readonly BlockDevice[];
}

/** The same disks, those first whose place is a part of an identity that a node is pinned to. */
export function pinnedFirst(
  disks: readonly BlockDevice[],
  identity: string,
): readonly BlockDevice[] {
  const parts = identity.split(placesTogether);
  const isPinned = (device: BlockDevice) => parts.includes(`disk ${device.identity}`);
  return [...disks.filter(isPinned), ...disks.filter((device) => !isPinned(device))];
}

/** A detection of drives with the disk first that a node is pinned to (`Datasource.preferring`). */
export function preferPinned<Found extends Place & { readonly places: DrivePlaces }>(
  detection: Found,
  identity: string,
): Found {
  const { directories, disks } = detection.places;
  const places = { directories, disks: pinnedFirst(disks, identity) };
  return { ...detection, ...describePlaces(places)[0], places };
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
