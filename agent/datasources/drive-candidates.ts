import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { type Drive, directoryDrive, withDisk } from "./drive.ts";
import { type DrivePlaces, describePlaces } from "./drive-places.ts";
import type { Candidate } from "./first-readable.ts";

/** Places of a datasource as candidates, each read by `read`. */
export function candidatesOf<Seed>(
  files: Files,
  places: DrivePlaces,
  read: (drive: Drive) => Seed,
): readonly Candidate<Seed>[] {
  const reads = [
    ...places.directories.map((path) => () => read(directoryDrive(files, path))),
    ...places.disks.map((device) => () => withDisk(files, device, read)),
  ];
  return describePlaces(places).flatMap((place, index) => {
    const readThis = reads[index];
    return readThis === undefined ? [] : [{ ...place, read: readThis }];
  });
}

/** The fault of places that were there a moment ago. */
export function gone(name: string): Fault {
  return new Fault("datasource/missing", `${name}: no place is left of those that were found`);
}
