import type { Files } from "#core/io.ts";
import type { BlockDevice } from "./block-devices.ts";
import type { Observe } from "./datasource.ts";
import { type NoCloudArguments, readNoCloudArguments } from "./nocloud-arguments.ts";
import { readSeedLabels } from "./nocloud-labels.ts";
import { capitalsOf, requiredFiles, seedFiles } from "./nocloud-seed.ts";
import { findSeedDisks } from "./seed-disks.ts";

const seedDirectories = ["/var/lib/cloud/seed/nocloud", "/var/lib/cloud/seed/nocloud-net"];

/** Everywhere that NoCloud was found, each kind in the order in which it is tried. */
export interface NoCloudPlaces {
  readonly arguments: readonly NoCloudArguments[];
  /** Directories with at least one of the files of a seed. */
  readonly directories: readonly string[];
  readonly disks: readonly BlockDevice[];
}

/** Looks for NoCloud; of disks only the label is read. */
export function findNoCloudPlaces(files: Files, observe: Observe): NoCloudPlaces {
  const found = {
    arguments: readNoCloudArguments(files),
    directories: seedDirectories.filter((directory) => isSeedDirectory(files, directory, observe)),
    disks: findSeedDisks(files, readSeedLabels(files, observe), observe),
  };
  for (const { place } of found.arguments) observe(`${place}: ds=nocloud`);
  return found;
}

function isSeedDirectory(files: Files, directory: string, observe: Observe): boolean {
  const names = files.list(directory);
  if (names.length === 0 && files.stat(directory)?.kind === "file")
    observe(`${directory}: it is a file, a directory with meta-data and user-data was expected`);
  const present = seedFiles.filter((file) => names.includes(file));
  const missing = requiredFiles.filter((file) => !names.includes(file));
  if (present.length > 0) {
    const lack = missing.length === 0 ? "" : `, without ${missing.join(" and ")}`;
    observe(`${directory}: ${present.join(", ")}${lack}`);
  }
  for (const name of capitalsOf(seedFiles, names))
    observe(`${directory}: ${name}: not read, its name must be in small letters`);
  return present.length > 0;
}
