import { Fault, isFault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { ManifestPath } from "#generated/provisioner/system/fetch/manifest.ts";
import { fetchFile } from "./fetch-file.ts";
import { goodSignatures, largestFile, type NarInfo, readNarInfo, storeHash } from "./narinfo.ts";
import type { NixPublicKey } from "./nix-key.ts";
import { hashFile, isArchive, type Staging } from "./staging.ts";
import { type TransferDeps, transfer } from "./transfer.ts";
import { type UnpackByProgram, unpack } from "./unpack.ts";

/** Of what a cache says about a path. */
export const maxNarInfoBytes = 1024 * 1024;

/** What one download needs. */
export interface DownloadDeps extends TransferDeps {
  readonly files: Files;
  readonly staging: Staging;
  /** Keys that the cache must have signed with; with none any cache will do. */
  readonly cacheKeys: readonly NixPublicKey[];
  readonly unpack: UnpackByProgram;
}

/**
 * Brings one path's archive from one cache into the staging directory, verified against the
 * manifest: what the cache says before anything large is fetched, the packed file by the cache's own
 * word, the archive by the manifest's. A transfer that broke goes on where it ended. Throws
 * `system/cache-absent`, `-unreachable`, `-slow`, `-lied`, `-unusable` and `system/canceled`.
 */
export async function download(d: DownloadDeps, entry: ManifestPath): Promise<void> {
  const info = readNarInfo(
    await readText(d, `${storeHash(entry.path)}.narinfo`, maxNarInfoBytes),
    entry,
  );
  const signatures = checkSignatures(d, entry, info);
  const packed = d.staging.partOf(entry, partName(info));
  await fetchPacked(d, { entry, info, packed });
  await unpackArchive(d, { entry, info, packed });
  d.staging.publish(entry, signatures);
}

/** Unpacks the archive and verifies it; nothing of a wrong one is left. */
async function unpackArchive(
  d: DownloadDeps,
  { entry, info, packed }: FetchingFile,
): Promise<void> {
  const nar = d.staging.narOf(entry);
  const { compression } = info;
  try {
    await unpack(d.files, { packed, compression, nar, maxBytes: entry.narSize }, d.unpack);
    if (await isArchive(d.files, nar, entry)) return;
    throw new Fault("system/cache-lied", `${entry.path}: the archive is not ${entry.narHash}`);
  } catch (error) {
    if (isFault(error, "system/cache-lied")) for (const file of [packed, nar]) d.files.remove(file);
    throw error;
  }
}

/** A small text of a cache. Throws as {@link transfer}. */
export async function readText(d: TransferDeps, file: string, maxBytes: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  await transfer(d, {
    file,
    offset: 0,
    maxBytes,
    begin: () => {},
    take: (bytes) => pieces.push(bytes),
  });
  return Buffer.concat(pieces).toString("utf8");
}

function checkSignatures(
  { cacheKeys }: DownloadDeps,
  entry: ManifestPath,
  { signatures }: NarInfo,
): readonly string[] {
  const good = goodSignatures(entry, signatures, cacheKeys);
  if (cacheKeys.length === 0 || good.length > 0) return good;
  throw new Fault("system/cache-lied", `${entry.path}: it is signed by no key of fetch.cacheKeys`);
}

/** Says what the file will be, so that a beginning is only gone on with from the same file. */
function partName({ fileHash, compression }: NarInfo): string {
  const suffix = { none: "", xz: ".xz", bzip2: ".bz2", zstd: ".zst", gzip: ".gz", br: ".br" };
  return `${fileHash?.slice(0, 16) ?? "part"}.nar${suffix[compression]}`;
}

interface FetchingFile {
  readonly entry: ManifestPath;
  readonly info: NarInfo;
  readonly packed: string;
}

/** The packed file, whole, by the cache's own word. */
async function fetchPacked(d: DownloadDeps, { entry, info, packed }: FetchingFile): Promise<void> {
  const { files } = d;
  if (info.fileHash === null) files.remove(packed); // nothing would tell what it is the beginning of
  await fetchFile(d, {
    url: info.url,
    to: packed,
    size: info.fileSize,
    maxBytes: largestFile(entry),
    isWhole: () => isPackedFile(files, packed, info),
  });
}

async function isPackedFile(
  files: Files,
  packed: string,
  { fileHash, fileSize }: NarInfo,
): Promise<boolean> {
  const size = files.stat(packed)?.size;
  if (size === undefined || (fileSize !== null && size !== fileSize)) return false;
  return fileHash === null || (await hashFile(files, packed)) === fileHash;
}
