import path from "node:path";
import { formatBytes } from "#core/bytes.ts";
import { Fault } from "#core/fault.ts";
import type { FileSpace, Files } from "#core/io.ts";
import { kernelPlaces } from "./boot-places.ts";
import { limitBytes } from "./build-limits.ts";
import { freeFiles, spaceOf, spaceText } from "./disk-space.ts";
import type { MissingBytes } from "./fetch/missing-bytes.ts";
import { type Memory, readMemory } from "./memory.ts";
import type { BuildNeed } from "./nix-dry-run.ts";
import type { Work } from "./work.ts";

/** Bytes of a fetched path for each file in it; many are small, and each takes an inode. */
const bytesPerFile = 8 * 1024;
/** Files of one built path: units and configuration, seldom more. */
const filesPerBuild = 50;

/** Memory that an evaluation wants and cannot have. */
export interface MemoryShortage {
  readonly memory: Memory;
  /** What it can have, swap included. */
  readonly usableBytes: number;
  readonly missingBytes: number;
  /** Whether it is so little that nothing should be begun. */
  readonly isSevere: boolean;
}

/** What is missing of the memory that evaluating wants; `undefined` when nothing is, or it cannot be said. */
export function findMemoryShortage({ io, policy, settings }: Work): MemoryShortage | undefined {
  const memory = readMemory(io.files);
  if (memory === undefined) return undefined;
  const { leastBytes, wantedBytes } = policy.evaluationMemory;
  const limit = settings.systemd
    ? limitBytes(policy.limits.memoryMax, memory.totalBytes)
    : memory.totalBytes;
  const usableBytes = Math.min(memory.availableBytes, limit) + memory.swapFreeBytes;
  if (usableBytes >= wantedBytes) return undefined;
  const missingBytes = wantedBytes - usableBytes;
  return { memory, usableBytes, missingBytes, isSevere: usableBytes < leastBytes };
}

/**
 * Throws `system/not-enough-space` unless store and state directory have the room that must stay free
 * beside what is to be built and fetched. How large that which is built will be nobody knows.
 */
export function checkRoom(work: Work, need?: BuildNeed): void {
  const bytes = need?.unpackedBytes ?? 0;
  const files = Math.ceil(bytes / bytesPerFile) + (need?.builds.length ?? 0) * filesPerBuild;
  checkStore(work, bytes, files);
  checkState(work, work.paths.sources, 0);
}

/** As {@link checkRoom}, for paths that are fetched; the largest archive lies beside them for a while. */
export function checkFetchRoom(work: Work, need: MissingBytes): void {
  checkStore(work, need.bytes, Math.ceil(need.bytes / bytesPerFile));
  checkState(work, work.paths.staging, need.largestBytes);
}

function checkStore(work: Work, bytes: number, files: number): void {
  const { storeFiles, paths, policy } = work;
  checkSpace(work, {
    place: paths.store,
    space: spaceOf(storeFiles, paths.store),
    bytes,
    files,
    keepBytes: policy.keepFree.storeBytes,
    keepFiles: policy.keepFree.files,
  });
}

function checkState(work: Work, place: string, bytes: number): void {
  checkSpace(work, {
    place,
    space: spaceOf(work.io.files, place),
    bytes,
    files: 0,
    keepBytes: work.policy.keepFree.stateBytes,
    keepFiles: work.policy.keepFree.files,
  });
}

/** What a system brings to the place where the boot loader keeps kernels. */
export interface BootNeed {
  readonly place: string;
  /** Of kernel and initrd that are not there yet. */
  readonly bytes: number;
}

/** `undefined` where there is no such place. */
export function bootNeed(work: Work, toplevel: string): BootNeed | undefined {
  const { files } = work.io;
  const place = kernelPlaces.find((each) => files.stat(each)?.kind === "directory");
  if (place === undefined) return undefined;
  const there = files.list(place);
  const missing = bootFiles(work.storeFiles, toplevel).filter(
    ({ name }) => !there.some((other) => other.startsWith(name)),
  );
  return { place, bytes: missing.reduce((total, { size }) => total + size, 0) };
}

/**
 * Throws `system/not-enough-boot-space` unless the place where the boot loader keeps kernels has room for
 * those of a system that are not there yet. Nothing is checked where there is no such place.
 */
export function checkBootRoom(work: Work, toplevel: string): void {
  const need = bootNeed(work, toplevel);
  if (need === undefined || need.bytes === 0) return;
  const { place, bytes } = need;
  const space = spaceOf(work.io.files, place);
  const keepBytes = work.policy.keepFree.bootBytes;
  checkSpace(work, { place, space, bytes, files: 0, keepBytes, keepFiles: 0 }, bootCode);
}

/** Kernel and initrd of a system, by the beginning of the name that a boot loader gives them. */
function bootFiles(
  storeFiles: Files,
  toplevel: string,
): readonly { readonly name: string; readonly size: number }[] {
  return ["kernel", "initrd"].flatMap((part) => {
    const file = storeFiles.realPath(`${toplevel}/${part}`);
    const size = file === undefined ? 0 : (storeFiles.stat(file)?.size ?? 0);
    if (file === undefined || size === 0) return [];
    const object = path.posix.basename(path.posix.dirname(file));
    return [{ name: `${object}-${path.posix.basename(file)}`, size }];
  });
}

interface SpaceNeed {
  readonly place: string;
  readonly space: FileSpace;
  readonly bytes: number;
  readonly files: number;
  readonly keepBytes: number;
  readonly keepFiles: number;
}

const bootCode = "system/not-enough-boot-space";

function checkSpace(
  work: Work,
  need: SpaceNeed,
  code: typeof bootCode | "system/not-enough-space" = "system/not-enough-space",
): void {
  const { place, space, bytes, files, keepBytes, keepFiles } = need;
  const isShort = space.availableBytes < bytes + keepBytes || freeFiles(space) < files + keepFiles;
  if (!isShort) return;
  const needed = `${formatBytes(bytes)} and ${files} files`;
  const kept = `${formatBytes(keepBytes)} and ${keepFiles} files`;
  throw new Fault(
    code,
    `${place}: ${needed} are needed and ${kept} must stay free, but free are ${spaceText(space)}`,
    place === work.paths.store
      ? fetchHint(work, "Free space there: `firstlight collect` drops what need not stay")
      : {},
  );
}

/** The hint of a fault on a node that has caches: what to do, or to build nothing here. */
export function fetchHint({ settings }: Work, what: string): { readonly hint?: string } {
  if (settings.substituters.length === 0) return {};
  return { hint: `${what}, or let this node fetch what was built elsewhere: \`fetch.mode\`.` };
}
