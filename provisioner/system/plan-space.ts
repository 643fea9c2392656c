import type { Files } from "#core/io.ts";
import { spaceOf } from "./disk-space.ts";
import type { MissingBytes } from "./fetch/missing-bytes.ts";
import { bootNeed } from "./preflight.ts";
import type { Work } from "./work.ts";

/** Room at one of the places that a change writes to. */
export interface PlaceSpace {
  readonly place: "store" | "boot" | "state";
  readonly path: string;
  readonly totalBytes: number;
  /** Without what is kept for root. */
  readonly freeBytes: number;
  /** What the commit writes there; `null` where that is nothing worth counting. */
  readonly neededBytes: number | null;
}

/** Room in the store (the system is there already), where the boot loader keeps kernels, for the state. */
export function readSpace(work: Work, toplevel: string): readonly PlaceSpace[] {
  const { io, storeFiles, paths } = work;
  const boot = bootNeed(work, toplevel);
  return [
    roomOf("store", storeFiles, paths.store),
    ...(boot === undefined ? [] : [roomOf("boot", io.files, boot.place, boot.bytes)]),
    roomOf("state", io.files, paths.state),
  ];
}

/** The same before anything is there: what a fetch would write, where it is one. */
export function previewSpace(
  { io, storeFiles, paths }: Work,
  fetch: MissingBytes | null,
): readonly PlaceSpace[] {
  return [
    roomOf("store", storeFiles, paths.store, fetch?.bytes),
    roomOf("state", io.files, paths.state, fetch?.largestBytes),
  ];
}

function roomOf(
  place: PlaceSpace["place"],
  files: Files,
  path: string,
  neededBytes: number | null = null,
): PlaceSpace {
  const { totalBytes, availableBytes } = spaceOf(files, path);
  return { place, path, totalBytes, freeBytes: availableBytes, neededBytes };
}
