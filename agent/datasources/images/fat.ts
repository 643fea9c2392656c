import { isFault } from "#core/fault.ts";
import { type DirectoryTree, keepChildren, listDirectory, readFile } from "./directory-tree.ts";
import { type FatChains, openChains } from "./fat-chains.ts";
import { type FatNode, readFatDirectory, readFatLabel } from "./fat-directory.ts";
import { type FatGeometry, readFatGeometry } from "./fat-geometry.ts";
import { type Image, malformed, quoted } from "./image.ts";
import type { Volume } from "./volume.ts";

const maxDirectoryBytes = 65_536 * 32; // the format's own limit
const labelSearchBytes = 64 * 1024;
const maxPieceBytes = 4096;

/**
 * The FAT12, FAT16 or FAT32 file system of an image, or `undefined` when its boot sector is not one.
 * The label is that of the root directory, else that of the boot sector (blkid's LABEL_FATBOOT).
 */
export function probeFat(image: Image): Volume | undefined {
  const geometry = readFatGeometry(image);
  if (geometry === undefined) return undefined;
  const chains = openChains(image, geometry);
  const labels = [rootLabel(image, geometry, chains), geometry.label].filter(
    (label) => label !== null,
  );
  const tree = treeOf(image, geometry, chains);
  return {
    type: "vfat",
    label: labels[0] ?? null,
    labels: [...new Set(labels)],
    serial: geometry.serial,
    list: (directory = "") => listDirectory(tree, directory),
    read: (path, maxBytes) => readFile(tree, path, maxBytes),
  };
}

function treeOf(image: Image, geometry: FatGeometry, chains: FatChains): DirectoryTree<FatNode> {
  const rootCluster = "cluster" in geometry.root ? geometry.root.cluster : 0;
  const root: FatNode = { name: "", kind: "directory", size: 0, cluster: rootCluster };
  return {
    image,
    root,
    children: keepChildren((directory) => {
      const what = directory === root ? "root directory" : `directory ${quoted(directory.name)}`;
      const isRootRegion = directory === root && !("cluster" in geometry.root);
      const pieces = isRootRegion
        ? rootPieces(image, geometry)
        : chainPieces(image, geometry, chains.walk(directory.cluster, what), what);
      return readFatDirectory(limited(image, pieces, what));
    }),
    matches: (name, wanted) => name.toLowerCase() === wanted.toLowerCase(),
    content: (file) => readContent(image, geometry, chains, file),
  };
}

/** The label in the root directory; a root that cannot be read has none, and faults when it is listed. */
function rootLabel(image: Image, geometry: FatGeometry, chains: FatChains): string | null {
  const what = "root directory";
  try {
    const { root } = geometry;
    const pieces =
      "cluster" in root
        ? chainPieces(image, geometry, chains.walk(root.cluster, what), what)
        : rootPieces(image, geometry);
    return readFatLabel(limited(image, pieces, what, labelSearchBytes));
  } catch (error) {
    if (isFault(error)) return null;
    throw error;
  }
}

function* limited(
  image: Image,
  pieces: Iterable<Buffer>,
  what: string,
  maxBytes = maxDirectoryBytes,
) {
  let bytes = 0;
  for (const piece of pieces) {
    bytes += piece.length;
    if (bytes > maxBytes) throw malformed(image.name, what, `more than ${maxBytes} bytes`);
    yield piece;
  }
}

function* rootPieces(image: Image, geometry: FatGeometry): Generator<Buffer> {
  if ("cluster" in geometry.root) return;
  yield* pieces(image, geometry.root.offset, geometry.root.length, "root directory");
}

function* chainPieces(
  image: Image,
  geometry: FatGeometry,
  chain: Iterable<number>,
  what: string,
): Generator<Buffer> {
  for (const offset of chain) yield* pieces(image, offset, geometry.clusterSize, what);
}

/** Small pieces: a directory usually ends in its first one. */
function* pieces(image: Image, offset: number, length: number, what: string): Generator<Buffer> {
  for (let done = 0; done < length; done += maxPieceBytes) {
    yield image.structure(offset + done, Math.min(maxPieceBytes, length - done), what);
  }
}

/** Reads as many clusters as the size needs, those that follow one another at once. */
function readContent(
  image: Image,
  geometry: FatGeometry,
  chains: FatChains,
  file: FatNode,
): Uint8Array {
  const what = `file ${quoted(file.name)}`;
  const bytes = new Uint8Array(file.size);
  let done = 0; // bytes read
  let run = { offset: 0, length: 0 };
  const readRun = () => {
    const length = Math.min(run.length, file.size - done);
    if (length > 0) image.content(run.offset, bytes.subarray(done, done + length), what);
    done += length;
  };
  if (file.size === 0) return bytes;
  for (const offset of chains.walk(file.cluster, what)) {
    if (offset === run.offset + run.length) {
      run.length += geometry.clusterSize;
    } else {
      readRun();
      run = { offset, length: geometry.clusterSize };
    }
    if (done + run.length >= file.size) break;
  }
  readRun();
  if (done < file.size) {
    throw malformed(image.name, what, `its chain ends after ${done} of ${file.size} bytes`);
  }
  return bytes;
}
