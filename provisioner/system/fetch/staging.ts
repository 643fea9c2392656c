import { createHash } from "node:crypto";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import type { Files } from "#core/io.ts";
import type { ManifestPath } from "#generated/provisioner/system/fetch/manifest.ts";
import { stagedNar, stagedNarInfo, storeHash } from "./narinfo.ts";
import { parseSha256 } from "./nix-hash.ts";

const readBytes = 1024 * 1024;
/** Written in pieces of this size: what a kill loses at most. */
const pieceBytes = 4 * 1024 * 1024;

/**
 * A binary cache of our own on the disk: archives that were verified, each with what the manifest
 * says about it, for Nix to take into its store; and the beginnings of those that are on their way.
 */
export interface Staging {
  readonly directory: string;
  /** Makes it a cache; with `wanted` everything that is of none of these paths is dropped. */
  prepare(wanted?: readonly ManifestPath[]): void;
  /** Whether a path's archive lies there whole; one that is not what it should be is dropped. */
  holds(entry: ManifestPath): Promise<boolean>;
  /** Where the packed file of a path is collected; told apart by what it will be. */
  partOf(entry: ManifestPath, name: string): string;
  /** Where the unpacked archive lies. */
  narOf(entry: ManifestPath): string;
  /** Lets Nix see the archive. */
  publish(entry: ManifestPath, signatures: readonly string[]): void;
  /** Drops what belongs to these paths. */
  drop(entries: readonly ManifestPath[]): void;
}

/**
 * The staging directory at `directory`, for the store at `store`. Nothing there need be synced: what
 * is there is believed by its hash alone.
 */
export function openStaging(files: Files, directory: string, store: string): Staging {
  const narInfoOf = ({ path }: ManifestPath) => `${directory}/${storeHash(path)}.narinfo`;
  const narOf = (entry: ManifestPath) => `${directory}/${stagedNar(entry)}`;
  const dropUnless = (keep: (hash: string) => boolean): void => {
    for (const below of ["", "/nar"]) {
      for (const name of files.list(`${directory}${below}`)) {
        const isOwn = name === "nar" || name === "nix-cache-info";
        if (!isOwn && !keep(name.slice(0, 32))) files.remove(`${directory}${below}/${name}`);
      }
    }
  };
  return {
    directory,
    narOf,
    prepare(wanted) {
      const hashes = new Set(wanted?.map(({ path }) => storeHash(path)));
      if (wanted !== undefined) dropUnless((hash) => hashes.has(hash));
      files.makeDirectory(`${directory}/nar`);
      const about = `StoreDir: ${store}\nWantMassQuery: 1\n`;
      const place = `${directory}/nix-cache-info`;
      if (files.readText(place) !== about) files.write(place, about);
    },
    async holds(entry) {
      if (files.stat(narInfoOf(entry)) === undefined) return false;
      if (await isArchive(files, narOf(entry), entry)) return true;
      files.remove(narInfoOf(entry));
      return false;
    },
    partOf: ({ path }, name) => `${directory}/nar/${storeHash(path)}.${name}`,
    publish: (entry, signatures) => files.write(narInfoOf(entry), stagedNarInfo(entry, signatures)),
    drop(entries) {
      const hashes = new Set(entries.map(({ path }) => storeHash(path)));
      dropUnless((hash) => !hashes.has(hash));
    },
  };
}

/** Whether a file is the archive that the manifest says. */
export async function isArchive(
  files: Files,
  path: string,
  { narHash, narSize }: ManifestPath,
): Promise<boolean> {
  if (files.stat(path)?.size !== narSize) return false;
  return (await hashFile(files, path)) === parseSha256(narHash);
}

/** SHA-256 of a file in hexadecimal; others get their turn meanwhile. */
export async function hashFile(files: Files, path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of readPieces(files, path)) hash.update(bytes);
  return hash.digest("hex");
}

/** A file piece by piece. */
export async function* readPieces(files: Files, path: string): AsyncGenerator<Uint8Array> {
  const file = files.open(path);
  try {
    for (let at = 0; at < file.size; at += readBytes) {
      yield file.read(at, readBytes);
      await yieldToOthers();
    }
  } finally {
    file.close();
  }
}

/** Appends to a file in large pieces; `end` writes what is left. */
export function pieceWriter(files: Files, path: string) {
  const waiting: Uint8Array[] = [];
  let bytes = 0;
  const flush = (): void => {
    if (bytes > 0) files.append(path, Buffer.concat(waiting));
    waiting.length = 0;
    bytes = 0;
  };
  return {
    take(chunk: Uint8Array): void {
      waiting.push(chunk);
      bytes += chunk.length;
      if (bytes >= pieceBytes) flush();
    },
    end: flush,
  };
}
