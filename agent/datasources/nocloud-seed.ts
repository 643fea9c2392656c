import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { BlockDevice } from "./block-devices.ts";
import type { RawDocuments } from "./content.ts";
import { withDisk } from "./drive.ts";
import { quoted } from "./images/image.ts";
import { type MetaData, readMetaData } from "./meta-data.ts";
import { readRegularFile } from "./regular-file.ts";

/** Bytes that a file of a seed may have. */
export const seedLimits = {
  "meta-data": 1024 * 1024,
  "user-data": 16 * 1024 * 1024,
  "vendor-data": 16 * 1024 * 1024,
  "network-config": 1024 * 1024,
} as const;

/** Names of the files of a seed; the first two must be there. */
export type SeedFile = keyof typeof seedLimits;

export const seedFiles: readonly SeedFile[] = [
  "meta-data",
  "user-data",
  "vendor-data",
  "network-config",
];
export const requiredFiles: readonly SeedFile[] = ["meta-data", "user-data"];

/** What one place says, whole. */
export interface Seed {
  readonly metaData: MetaData;
  readonly documents: RawDocuments;
  /** For a person: which files with how many bytes. */
  readonly evidence: string;
}

/** Reads one file of a seed, `undefined` when it is not there. */
type ReadSeedFile = (file: SeedFile, maxBytes: number) => Uint8Array | undefined;

/** Reads a seed directory of the machine. Throws `datasource/missing`, `datasource/malformed` or `io/…`. */
export function readSeedDirectory(files: Files, directory: string): Seed {
  return readSeed(
    directory,
    (file, maxBytes) => readRegularFile(files, `${directory}/${file}`, maxBytes),
    () => files.list(directory),
  );
}

/** Reads the seed on a disk. Throws like {@link readSeedDirectory}. */
export function readSeedDisk(files: Files, device: BlockDevice): Seed {
  return withDisk(files, device, ({ name, read, list }) => readSeed(name, read, () => list("")));
}

/** Reads all files of a seed with `read`; `list` names what is there instead when one is missing. */
export function readSeed(place: string, read: ReadSeedFile, list: () => readonly string[]): Seed {
  const found = new Map<SeedFile, Uint8Array>();
  for (const file of seedFiles) {
    const bytes = read(file, seedLimits[file]);
    if (bytes !== undefined) found.set(file, bytes);
  }
  const missing = requiredFiles.filter((file) => !found.has(file));
  if (missing.length > 0) throw missingFiles(place, missing, list());
  const sizes = [...found].map(([file, bytes]) => `${file} (${bytes.length} bytes)`);
  return {
    metaData: readMetaData(found.get("meta-data") ?? new Uint8Array(), place),
    documents: {
      userData: found.get("user-data"),
      vendorData: found.get("vendor-data"),
      networkConfig: found.get("network-config"),
    },
    evidence: `${place}: ${sizes.join(", ")}`,
  };
}

function missingFiles(
  place: string,
  missing: readonly SeedFile[],
  present: readonly string[],
): Fault {
  const names = present.slice(0, 12).map(quoted).join(", ");
  const what = `${missing.join(" and ")} ${missing.length === 1 ? "was" : "were"} expected`;
  return new Fault(
    "datasource/missing",
    `${place}: ${what}, there is ${names === "" ? "no file" : `only ${names}`}`,
    { hint: missingHint(missing, present) },
  );
}

function missingHint(missing: readonly SeedFile[], present: readonly string[]): string {
  if (present.some((name) => /^(?:user|meta)_dat/.test(name)))
    return "make the image with -J -r: plain ISO 9660 cuts and changes the names";
  const capitals = capitalsOf(missing, present);
  if (capitals.length > 0)
    return `upper and lower case count: write ${missing.join(" and ")} in small letters`;
  return "put meta-data and user-data into the root of the seed; both may be empty";
}

/** Names that are those of a seed but for upper and lower case. */
export function capitalsOf(
  wanted: readonly SeedFile[],
  present: readonly string[],
): readonly string[] {
  const names: readonly string[] = wanted;
  return present.filter((name) => !names.includes(name) && names.includes(name.toLowerCase()));
}
