import type { Fault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { BlockDevice } from "./block-devices.ts";
import type { CloudInstance } from "./cloud.ts";
import type { Datasource, Detection } from "./datasource.ts";
import { type DrivePlaces, describePlaces, preferPinned } from "./drive-places.ts";
import type { Volume } from "./images/volume.ts";
import type { Machine } from "./machine.ts";
import { findDisks } from "./seed-disks.ts";

/** A datasource that says an instance by one document on a disk, or in a seed directory. */
export interface DriveSource {
  /** Name as cloud-init spells it. */
  readonly name: string;
  /** Seed directories, which count where the document is in them. */
  readonly directories: readonly string[];
  readonly document: string;
  /** Whether a disk is meant, by little more than its label. */
  readonly fits: (volume: Volume, device: BlockDevice) => boolean;
  /** Loads the reader, which is not on the way of other machines' boots. */
  readonly load: () => Promise<DriveReader>;
}

/** Says an instance from a drive. Throws `datasource/malformed`, `datasource/missing`, `datasource/none`. */
export type DriveReader = (reading: DriveReading) => CloudInstance;

/** What a reader of a drive has. */
export interface DriveReading extends Machine {
  /** Bytes of a file; `undefined` where there is none. */
  read(file: string, maxBytes: number): Uint8Array | undefined;
  /** Bytes of a file that must be there. Throws `datasource/missing`. */
  need(file: string, maxBytes: number): Uint8Array;
  /** In messages: `/dev/sr0`. */
  readonly place: string;
  /** A fault that says what is wrong with a file. */
  malformed(file: string, problem: string): Fault;
  /** Says something of a file. */
  find(file: string, about: Pick<Finding, "level" | "code" | "message" | "hint">): void;
}

/** A detection that remembers its places, so that reading looks at the same ones. */
export interface DriveDetection extends Detection {
  readonly places: DrivePlaces;
}

/**
 * The datasource of such a source. Of several places the first that can be read counts, directories
 * first, then the disk with the highest name; the others have a finding.
 */
export function driveDatasource(source: DriveSource): Datasource<DriveDetection> {
  const { name, directories, document, fits } = source;
  return {
    name,
    needs: "disk",
    detect({ files }, observe = () => {}) {
      const evidence: string[] = [];
      const tell = (observation: string) => {
        evidence.push(observation);
        observe(observation);
      };
      const seeds = directories.filter(
        (directory) => files.stat(`${directory}/${document}`) !== undefined,
      );
      for (const directory of seeds) tell(`${directory}: ${document}`);
      const places = { directories: seeds, disks: findDisks(files, { fits, observe: tell }) };
      const [first] = describePlaces(places);
      return first === undefined ? undefined : { ...first, evidence, places };
    },
    preferring: preferPinned,
    async read(io, detection, tools) {
      const { readDriveContent } = await import("./drive-content.ts");
      return readDriveContent(io, { source, detection, tools, read: await source.load() });
    },
  };
}
