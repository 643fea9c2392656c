import path from "node:path";
import { formatBytes } from "#core/bytes.ts";
import type { FileSpace, Files } from "#core/io.ts";

/** Room on the file system of a place, or of where it will be when it is made. */
export function spaceOf(files: Files, place: string): FileSpace {
  for (let at = place; at !== "/"; at = path.posix.dirname(at)) {
    const space = files.space(at);
    if (space !== undefined) return space;
  }
  return files.space("/") ?? nothing;
}

const nothing: FileSpace = {
  totalBytes: 0,
  freeBytes: 0,
  availableBytes: 0,
  totalInodes: 0,
  freeInodes: 0,
  fileSystem: 0,
};

/** Files that can still be made; infinite on file systems that make inodes as they need them. */
export function freeFiles({ totalInodes, freeInodes }: FileSpace): number {
  return totalInodes === 0 ? Number.POSITIVE_INFINITY : freeInodes;
}

/** Room for a person: bytes, and files where they are counted. */
export function spaceText(space: FileSpace): string {
  const { availableBytes, totalBytes } = space;
  const files = freeFiles(space);
  const counted = Number.isFinite(files) ? ` and ${files} files` : "";
  return `${formatBytes(availableBytes)} of ${formatBytes(totalBytes)}${counted}`;
}
