import type { Files } from "#core/io.ts";
import { readMounts } from "#provisioner/render/find-platform.ts";
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

const bootParts = ["kernel", "initrd"] as const;
const bootPaths = ["/boot", "/efi", "/boot/efi", "/boot/firmware"];

/** Room in the store (the system is built already), on the boot partition, and for the state. */
export function readSpace(work: Work, toplevel: string): readonly PlaceSpace[] {
  const { io, storeFiles, paths } = work;
  const boot = bootPartition(work);
  const places: readonly (readonly [PlaceSpace["place"], string, Files, number | null])[] = [
    ["store", paths.store, storeFiles, null],
    ...(boot === undefined
      ? []
      : [["boot", boot, io.files, newBootBytes(work, toplevel)] as const]),
    ["state", paths.state, io.files, null],
  ];
  return places.map(([place, path, files, neededBytes]) => ({
    place,
    path,
    neededBytes,
    ...roomOf(files, path),
  }));
}

/** Room where a path is, or will be. */
export function roomOf(files: Files, path: string): Pick<PlaceSpace, "totalBytes" | "freeBytes"> {
  const space = files.space(path);
  if (space !== undefined) {
    return { totalBytes: space.totalBytes, freeBytes: space.availableBytes };
  }
  return roomOf(files, path.slice(0, path.lastIndexOf("/")) || "/");
}

/** Where the boot loader reads kernels from, if that is a file system of its own. */
function bootPartition({ io }: Work): string | undefined {
  const mounts = readMounts(io.files);
  return bootPaths.find((path) => mounts.some((mount) => mount.path === path));
}

/** Kernel and initrd that no generation has brought there yet. */
function newBootBytes({ machine, storeFiles }: Work, toplevel: string): number {
  const file = (system: string, part: string) => storeFiles.realPath(`${system}/${part}`);
  const there = new Set(
    machine.generations().flatMap((made) => bootParts.map((part) => file(made.toplevel, part))),
  );
  const missing = bootParts.map((part) => file(toplevel, part)).filter((path) => !there.has(path));
  return missing.reduce(
    (sum, path) => sum + (path === undefined ? 0 : (storeFiles.stat(path)?.size ?? 0)),
    0,
  );
}
