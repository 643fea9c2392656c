import { Fault, isFault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Files } from "#core/io.ts";
import type { RawDocuments } from "./content.ts";
import type { MetaData } from "./meta-data.ts";
import type { NoCloudPlaces } from "./nocloud-places.ts";
import { readSeedDirectory, readSeedDisk, type Seed } from "./nocloud-seed.ts";

/** One place in words, and what a pinned node knows it by. */
export interface Place {
  readonly place: string;
  readonly identity: string;
  readonly removable: boolean;
}

/** A place that was read, and what it says. */
export interface Layer extends Place {
  readonly evidence: string;
  readonly metaData: MetaData;
  readonly documents: RawDocuments;
}

/** A place with a seed, not yet read. */
export interface Candidate extends Place {
  readonly read: () => Seed;
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
): { readonly directories: readonly Candidate[]; readonly disks: readonly Candidate[] } {
  return {
    directories: places.directories.map((directory) => ({
      place: `seed directory ${directory}`,
      identity: `directory ${directory}`,
      removable: false,
      read: () => readSeedDirectory(files, directory),
    })),
    disks: places.disks.map((device) => ({
      place: `disk ${device.node}`,
      identity: `disk ${device.identity}`,
      removable: device.removable,
      read: () => readSeedDisk(files, device),
    })),
  };
}

/**
 * Reads the first whole seed of each kind. One that cannot be read is passed over with a finding
 * where another can; where none can, its fault is thrown: a machine never goes on without its seed.
 */
export function readLayers(files: Files, places: NoCloudPlaces): Layers {
  const { directories, disks } = candidatesOf(files, places);
  const results = [readFirst(disks), readFirst(directories)];
  const problems = results.flatMap((result) => result.problems);
  const seeds = results.flatMap((result) => result.layer ?? []);
  const first = problems[0];
  if (seeds.length === 0 && first !== undefined) {
    if (problems.length === 1) throw first.fault;
    const message = problems.map(({ fault }) => fault.message).join("; ");
    throw new Fault(first.fault.code, message, {
      cause: first.fault,
      ...(first.fault.hint === undefined ? {} : { hint: first.fault.hint }),
    });
  }
  return {
    layers: [...argumentLayers(places), ...seeds.reverse()],
    findings: [
      ...problems.map(({ candidate, fault }) => unusable(candidate, fault)),
      ...results.flatMap((result) =>
        result.unread.map((candidate) => unread(candidate, result.layer)),
      ),
    ],
  };
}

interface FirstRead {
  readonly layer: Layer | undefined;
  readonly problems: readonly { readonly candidate: Candidate; readonly fault: Fault }[];
  readonly unread: readonly Candidate[];
}

function readFirst(candidates: readonly Candidate[]): FirstRead {
  const problems: { candidate: Candidate; fault: Fault }[] = [];
  for (const [index, candidate] of candidates.entries()) {
    try {
      const { place, identity, removable } = candidate;
      const layer = { place, identity, removable, ...candidate.read() };
      return { layer, problems, unread: candidates.slice(index + 1) };
    } catch (error) {
      if (!isFault(error)) throw error;
      problems.push({ candidate, fault: error });
    }
  }
  return { layer: undefined, problems, unread: [] };
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

function unusable({ place }: Place, fault: Fault): Finding {
  return about(place, "datasource/unusable", `passed over: ${fault.message}`, fault.hint ?? null);
}

function unread({ place }: Place, used: Place | undefined): Finding {
  const message = `not read: ${used?.place ?? "another place"} comes first`;
  return about(place, "datasource/several", message, "remove the one that is not meant");
}

function about(
  place: string,
  code: "datasource/unusable" | "datasource/several",
  message: string,
  hint: string | null,
): Finding {
  return {
    document: place,
    path: "",
    line: null,
    column: null,
    level: "warning",
    code,
    message,
    hint,
  };
}
