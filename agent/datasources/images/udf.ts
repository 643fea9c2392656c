import { type DirectoryTree, keepChildren, listDirectory, readFile } from "./directory-tree.ts";
import { type Image, malformed } from "./image.ts";
import type { Volume, VolumeEntry } from "./volume.ts";

// ECMA-167, https://ecma-international.org/publications-and-standards/standards/ecma-167/, as UDF takes
// it for discs that are written once (http://www.osta.org/specs/): one partition, sectors of 2048 bytes.
const sectorSize = 2048;
const firstDescriptor = 16;
const maxDescriptors = 32;
const anchorSector = 256;
const maxSequenceSectors = 64;
const maxDirectoryBytes = 1024 * 1024;
const maxExtents = 4096; // of one file
const tags = {
  ...{ anchor: 2, partition: 5, logicalVolume: 6, terminator: 8 },
  ...{ fileSet: 256, identifier: 257, file: 261, extendedFile: 266 },
};
const identifierFlags = { directory: 0x02, deleted: 0x04, parent: 0x08 };
const fileTypes = { directory: 4, file: 5 };

/** An entry of the tree: its kind and size stand where its contents are described. */
interface UdfNode extends VolumeEntry {
  /** Logical block of its file entry. */
  readonly block: number;
}

/** Where everything lies. */
interface Format {
  readonly image: Image;
  /** Byte offset of logical block 0. */
  readonly start: number;
  readonly rootBlock: number;
}

/** Contents: in the file entry itself, or in extents of the image. */
interface Contents {
  readonly kind: VolumeEntry["kind"];
  readonly size: number;
  readonly inside: Buffer | undefined;
  readonly extents: readonly { readonly offset: number; readonly length: number }[];
}

/** The UDF file system of an image, or `undefined` when nothing says that there is one. */
export function probeUdf(
  image: Image,
): Omit<Volume, "type" | "label" | "labels" | "serial"> | undefined {
  if (!isUdf(image)) return undefined;
  let tree: DirectoryTree<UdfNode> | undefined;
  const opened = () => {
    tree ??= openTree(image);
    return tree;
  };
  return {
    list: (directory = "") => listDirectory(opened(), directory),
    read: (path, maxBytes) => readFile(opened(), path, maxBytes),
  };
}

/** Whether the volume recognition sequence names it; ISO 9660's descriptors may stand before. */
function isUdf(image: Image): boolean {
  for (let index = 0; index < maxDescriptors; index++) {
    const offset = (firstDescriptor + index) * sectorSize;
    if (offset + sectorSize > image.size) return false;
    const id = image.structure(offset, 6, `volume descriptor ${index}`).toString("latin1", 1, 6);
    if (id === "NSR02" || id === "NSR03") return true;
    if (id !== "CD001" && id !== "BEA01") return false;
  }
  return false;
}

function openTree(image: Image): DirectoryTree<UdfNode> {
  const format = readFormat(image);
  const node = (name: string, block: number): UdfNode => {
    const { kind, size } = readEntry(format, block, name);
    return { name, kind, size, block };
  };
  return {
    image,
    root: node("root directory", format.rootBlock),
    children: keepChildren((directory) =>
      readIdentifiers(format, directory).map(([name, block]) => node(name, block)),
    ),
    matches: (name, wanted) => name === wanted,
    content: ({ block, name }) => readContents(format, block, name),
  };
}

/** From the anchor over the volume's descriptors to the block of the root directory. */
function readFormat(image: Image): Format {
  const anchor = readTagged(image, anchorSector * sectorSize, "anchor", [tags.anchor]);
  const sectors = Math.min(maxSequenceSectors, Math.ceil(anchor.readUInt32LE(16) / sectorSize));
  const first = anchor.readUInt32LE(20);
  let partition: Buffer | undefined;
  let volume: Buffer | undefined;
  for (let index = 0; index < sectors; index++) {
    const what = `descriptor ${index} of the volume`;
    const sector = image.structure((first + index) * sectorSize, sectorSize, what);
    const tag = sector.readUInt16LE(0);
    if (tag === tags.terminator) break;
    if (tag === tags.partition) partition ??= sector;
    if (tag === tags.logicalVolume) volume ??= sector;
  }
  if (partition === undefined || volume === undefined)
    throw malformed(image.name, "UDF", "a partition and a logical volume were expected");
  const isPlain =
    volume.readUInt32LE(212) === sectorSize &&
    volume.readUInt32LE(268) === 1 && // maps of partitions
    volume[440] === 1; // of the first type
  if (!isPlain) {
    const problem = "expected blocks of 2048 bytes in one plain partition";
    throw malformed(image.name, "logical volume", problem);
  }
  const start = partition.readUInt32LE(188) * sectorSize;
  const setAt = start + volume.readUInt32LE(252) * sectorSize;
  const set = readTagged(image, setAt, "file set", [tags.fileSet]);
  return { image, start, rootBlock: set.readUInt32LE(404) };
}

/** A sector that says what it is, and whose checksum is right. */
function readTagged(image: Image, offset: number, what: string, wanted: readonly number[]): Buffer {
  const sector = image.structure(offset, sectorSize, what);
  const sum = sector.subarray(0, 16).reduce((all, byte, at) => (at === 4 ? all : all + byte), 0);
  if (wanted.includes(sector.readUInt16LE(0)) && sector[4] === sum % 256) return sector;
  throw malformed(image.name, what, `there is no such structure at byte ${offset}`);
}

/** What a file entry says of its contents. */
function readEntry(format: Format, block: number, what: string): Contents {
  const { image, start } = format;
  const kinds = [tags.file, tags.extendedFile];
  const sector = readTagged(image, start + block * sectorSize, what, kinds);
  const isExtended = sector.readUInt16LE(0) === tags.extendedFile;
  const type = sector[27];
  const size = Number(sector.readBigUInt64LE(56));
  const lengthsAt = isExtended ? 208 : 168;
  const from = lengthsAt + 8 + sector.readUInt32LE(lengthsAt);
  const to = from + sector.readUInt32LE(lengthsAt + 4);
  if (to > sectorSize) throw malformed(image.name, what, "its entry is longer than a block");
  const kind =
    type === fileTypes.directory ? "directory" : type === fileTypes.file ? "file" : "other";
  const described = sector.subarray(from, to);
  const form = sector.readUInt16LE(34) & 7;
  if (form === 3) return { kind, size, inside: described, extents: [] };
  if (form > 1) throw malformed(image.name, what, "its contents are described in a form not read");
  const extents = readExtents(format, { described, bytes: form === 0 ? 8 : 16, what });
  return { kind, size, inside: undefined, extents };
}

/** Allocation descriptors: short ones of 8 bytes, long ones of 16. */
function readExtents(
  { image, start }: Format,
  { described, bytes, what }: { described: Buffer; bytes: number; what: string },
): Contents["extents"] {
  const extents: { offset: number; length: number }[] = [];
  for (let at = 0; at + bytes <= described.length && extents.length < maxExtents; at += bytes) {
    const word = described.readUInt32LE(at);
    const length = word % 2 ** 30;
    if (length === 0) break;
    if (word >= 2 ** 30) throw malformed(image.name, what, "an extent of it is not recorded");
    extents.push({ offset: start + described.readUInt32LE(at + 4) * sectorSize, length });
  }
  return extents;
}

function readContents(format: Format, block: number, what: string): Uint8Array {
  const { size, inside, extents } = readEntry(format, block, what);
  const { image } = format;
  const there =
    inside === undefined ? extents.reduce((sum, { length }) => sum + length, 0) : inside.length;
  if (there < size) throw malformed(image.name, what, `${there} bytes of ${size} are described`);
  if (inside !== undefined) return Uint8Array.from(inside.subarray(0, size));
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const { offset, length } of extents) {
    const part = bytes.subarray(at, Math.min(size, at + length));
    image.content(offset, part, what);
    at += part.length;
  }
  return bytes;
}

/** Names in a directory, each with the block of its file entry. */
function readIdentifiers(
  format: Format,
  directory: UdfNode,
): readonly (readonly [string, number])[] {
  const { image } = format;
  const { name: what, size, block } = directory;
  if (size > maxDirectoryBytes) throw malformed(image.name, what, `it has ${size} bytes`);
  const read = readContents(format, block, what);
  const bytes = Buffer.from(read.buffer, read.byteOffset, read.length);
  const found: (readonly [string, number])[] = [];
  for (let at = 0; at + 38 <= bytes.length; ) {
    if (bytes.readUInt16LE(at) !== tags.identifier)
      throw malformed(image.name, what, `there is no name at byte ${at}`);
    const flags = bytes[at + 18] ?? 0;
    const nameLength = bytes[at + 19] ?? 0;
    const nameAt = at + 38 + bytes.readUInt16LE(at + 36);
    const end = nameAt + nameLength;
    if (end > bytes.length) throw malformed(image.name, what, `the name at byte ${at} is cut`);
    if ((flags & (identifierFlags.deleted | identifierFlags.parent)) === 0)
      found.push([nameIn(bytes.subarray(nameAt, end)), bytes.readUInt32LE(at + 24)]);
    at = end + ((4 - ((end - at) % 4)) % 4);
  }
  return found;
}

/** OSTA CS0: a byte says whether characters have 8 bits or 16. */
function nameIn(bytes: Buffer): string {
  const rest = Buffer.from(bytes.subarray(1));
  if (bytes[0] !== 16) return rest.toString("latin1");
  return rest
    .subarray(0, rest.length - (rest.length % 2))
    .swap16()
    .toString("utf16le");
}
