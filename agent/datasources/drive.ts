import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { type BlockDevice, openBlockDevice } from "./block-devices.ts";
import { openVolume } from "./images/volume.ts";
import { readRegularFile } from "./regular-file.ts";

/** A disk or a directory with the files of a datasource; paths are relative to its root. */
export interface Drive {
  /** In messages: `/dev/sr0`. */
  readonly name: string;
  /** `undefined` when there is no such file. Throws `datasource/malformed`, `io/…`. */
  read(path: string, maxBytes: number): Uint8Array | undefined;
  /** Names in a directory (`""`: the root). */
  list(directory: string): readonly string[];
}

/** A directory of the machine as a drive. */
export function directoryDrive(files: Files, directory: string): Drive {
  return {
    name: directory,
    read: (path, maxBytes) => readRegularFile(files, `${directory}/${path}`, maxBytes),
    list: (path) => files.list(path === "" ? directory : `${directory}/${path}`),
  };
}

/** Does something with a disk as a drive. Throws `datasource/malformed` where it has no file system. */
export function withDisk<T>(files: Files, device: BlockDevice, use: (drive: Drive) => T): T {
  const access = openBlockDevice(files, device);
  try {
    const volume = openVolume(access, device.node);
    if (volume === undefined) {
      throw new Fault(
        "datasource/malformed",
        `${device.node}: an ISO 9660 or FAT file system was expected, there is none`,
      );
    }
    return use({
      name: device.node,
      read: (path, maxBytes) => volume.read(path, maxBytes),
      list: (path) => volume.list(path).map(({ name }) => name),
    });
  } finally {
    access.close();
  }
}
