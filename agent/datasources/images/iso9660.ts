import { type DirectoryTree, keepChildren, listDirectory, readFile } from "./directory-tree.ts";
import { type Image, malformed, quoted } from "./image.ts";
import { readSharing, type Sharing, systemUse } from "./rock-ridge.ts";
import type { Volume, VolumeEntry } from "./volume.ts";

// ECMA-119, https://ecma-international.org/publications-and-standards/standards/ecma-119/
const sectorSize = 2048;
const firstDescriptor = 16 * sectorSize;
const maxDescriptors = 32;
const maxDirectoryBytes = 1024 * 1024;
const maxExtents = 4096; // of one file; each holds up to 4 GiB
const flags = { directory: 0x02, associated: 0x04, moreExtents: 0x80 };
const jolietEscapes = ["%/@", "%/C", "%/E"];

/** An entry of the tree, with the places of its contents. */
interface IsoNode extends VolumeEntry {
  readonly extents: readonly Extent[];
  /** Why its contents cannot be read, where they cannot. */
  readonly problem: string | undefined;
}

interface Extent {
  /** Byte offset in the image. */
  readonly offset: number;
  readonly length: number;
}

interface Format {
  readonly image: Image;
  readonly blockSize: number;
  readonly names: "rock-ridge" | "joliet" | "plain";
  readonly sharing: Sharing | undefined;
}

/** One directory record as it stands, with no meaning given to it yet. */
interface DirectoryRecord {
  readonly extent: Extent;
  readonly flags: number;
  readonly interleaved: boolean;
  readonly identifier: Buffer;
  readonly systemUse: Buffer;
}

/**
 * The ISO 9660 file system of an image, or `undefined` when it has no volume descriptor. Names are
 * those that Linux shows: Rock Ridge where there is one, else Joliet, else the plain names in lower
 * case without their version.
 */
export function probeIso9660(image: Image): Volume | undefined {
  const { primary, joliet } = readDescriptors(image);
  if (primary === undefined) return undefined;
  const label = primary.toString("latin1", 40, 72).replace(/[ \0]+$/, "") || null;
  let tree: DirectoryTree<IsoNode> | undefined;
  const opened = () => {
    tree ??= openTree(image, primary, joliet);
    return tree;
  };
  return {
    type: "iso9660",
    label,
    labels: label === null ? [] : [label],
    serial: null,
    list: (directory = "") => listDirectory(opened(), directory),
    read: (path, maxBytes) => readFile(opened(), path, maxBytes),
  };
}

function readDescriptors(image: Image): {
  primary: Buffer | undefined;
  joliet: Buffer | undefined;
} {
  let primary: Buffer | undefined;
  let joliet: Buffer | undefined;
  for (let index = 0; index < maxDescriptors; index++) {
    const offset = firstDescriptor + index * sectorSize;
    if (offset + sectorSize > image.size) break;
    const sector = image.structure(offset, sectorSize, `volume descriptor ${index}`);
    if (sector.toString("latin1", 1, 6) !== "CD001") break;
    const type = sector[0];
    if (type === 255) break;
    if (type === 1) primary ??= sector;
    if (type === 2 && jolietEscapes.includes(sector.toString("latin1", 88, 91))) joliet ??= sector;
  }
  return { primary, joliet };
}

function openTree(
  image: Image,
  primary: Buffer,
  joliet: Buffer | undefined,
): DirectoryTree<IsoNode> {
  const plain: Format = {
    image,
    blockSize: readBlockSize(image, primary),
    names: "plain",
    sharing: undefined,
  };
  const root = rootNode(plain, primary);
  const first = readRecords(plain, root, "root directory", 1)[0];
  const sharing = first === undefined ? undefined : readSharing(first.systemUse);
  if (sharing !== undefined) return treeOf({ ...plain, names: "rock-ridge", sharing }, root);
  if (joliet === undefined) return treeOf(plain, root);
  const format: Format = { ...plain, blockSize: readBlockSize(image, joliet), names: "joliet" };
  return treeOf(format, rootNode(format, joliet));
}

function treeOf(format: Format, root: IsoNode): DirectoryTree<IsoNode> {
  return {
    image: format.image,
    root,
    children: keepChildren((directory) => readChildren(format, directory)),
    matches: (name, wanted) => name === wanted,
    content: (file) => readContent(format.image, file),
  };
}

function readBlockSize(image: Image, descriptor: Buffer): number {
  const blockSize = descriptor.readUInt16LE(128);
  if (![512, 1024, 2048].includes(blockSize)) {
    throw malformed(
      image.name,
      "volume descriptor",
      `block size ${blockSize}, expected 512, 1024 or 2048`,
    );
  }
  return blockSize;
}

function rootNode(format: Format, descriptor: Buffer): IsoNode {
  const record = parseRecord(format, descriptor.subarray(156, 190), "root directory record");
  return { name: "", kind: "directory", size: 0, extents: [record.extent], problem: undefined };
}

/** Records of a directory, at most `limit`; they never cross a sector, and the rest of one is zero. */
function readRecords(
  format: Format,
  directory: IsoNode,
  what: string,
  limit = Infinity,
): DirectoryRecord[] {
  const { image } = format;
  const records: DirectoryRecord[] = [];
  for (const { offset, length } of directory.extents) {
    if (length > maxDirectoryBytes) {
      throw malformed(
        image.name,
        what,
        `${length} bytes, a directory has at most ${maxDirectoryBytes}`,
      );
    }
    for (let done = 0; done < length && records.length < limit; done += sectorSize) {
      const sector = image.structure(offset + done, Math.min(sectorSize, length - done), what);
      for (let at = 0; at < sector.length && records.length < limit; ) {
        const size = sector.readUInt8(at);
        if (size === 0) break;
        const place = `${what}, record at byte ${offset + done + at}`;
        records.push(parseRecord(format, sector.subarray(at, at + size), place));
        at += size;
      }
    }
  }
  return records;
}

function parseRecord(format: Format, record: Buffer, what: string): DirectoryRecord {
  const nameLength = record.length < 34 ? 0 : record.readUInt8(32);
  const nameEnd = 33 + nameLength;
  if (record.length < 34 || record.readUInt8(0) !== record.length || nameEnd > record.length) {
    throw malformed(
      format.image.name,
      what,
      `a directory record of ${record.length} bytes that does not fit`,
    );
  }
  const firstBlock = record.readUInt32LE(2) + record.readUInt8(1); // after its extended attributes
  return {
    extent: { offset: firstBlock * format.blockSize, length: record.readUInt32LE(10) },
    flags: record.readUInt8(25),
    interleaved: record.readUInt8(26) !== 0 || record.readUInt8(27) !== 0,
    identifier: record.subarray(33, nameEnd),
    systemUse: record.subarray(nameEnd + (nameLength % 2 === 0 ? 1 : 0)),
  };
}

function readChildren(format: Format, directory: IsoNode): readonly IsoNode[] {
  const what = directory.name === "" ? "root directory" : `directory ${quoted(directory.name)}`;
  const nodes: IsoNode[] = [];
  let open: IsoNode | undefined; // a file whose next extent is in the next record
  for (const record of readRecords(format, directory, what)) {
    if (isSelfOrParent(record) || (record.flags & flags.associated) !== 0) continue;
    const node = toNode(format, record, what);
    if (node === undefined) continue;
    if (open !== undefined && open.extents.length >= maxExtents) {
      throw malformed(
        format.image.name,
        what,
        `${quoted(open.name)} has more than ${maxExtents} parts`,
      );
    }
    const whole: IsoNode = open === undefined ? node : joined(open, node);
    if ((record.flags & flags.moreExtents) !== 0) {
      open = whole;
    } else {
      open = undefined;
      nodes.push(whole);
    }
  }
  if (open !== undefined) {
    throw malformed(format.image.name, what, `the last part of ${quoted(open.name)} is missing`);
  }
  return nodes;
}

function isSelfOrParent(record: DirectoryRecord): boolean {
  return (
    record.identifier.length === 1 && (record.identifier[0] === 0 || record.identifier[0] === 1)
  );
}

function joined(first: IsoNode, next: IsoNode): IsoNode {
  const extents = [...first.extents, ...next.extents];
  return {
    ...first,
    size: first.size + next.size,
    extents,
    problem: first.problem ?? next.problem,
  };
}

/** The entry that a record stands for, `undefined` for one that only marks a moved directory. */
function toNode(format: Format, record: DirectoryRecord, what: string): IsoNode | undefined {
  const isDirectory = (record.flags & flags.directory) !== 0;
  const problem = record.interleaved ? "is interleaved, which is not read" : undefined;
  const node: IsoNode = {
    name: recordName(format, record.identifier),
    kind: isDirectory ? "directory" : "file",
    size: isDirectory ? 0 : record.extent.length,
    extents: [record.extent],
    problem,
  };
  if (format.sharing === undefined) return node;
  const rock = systemUse(
    format.image,
    format.blockSize,
    record.systemUse.subarray(format.sharing.skip),
    what,
  );
  if (rock.relocated) return undefined;
  const name = rock.name ?? node.name;
  if (rock.childBlock !== undefined) return movedDirectory(format, name, rock.childBlock);
  const kind = isDirectory ? "directory" : (rock.kind ?? node.kind);
  return { ...node, name, kind, problem: problem ?? rock.problem };
}

/** A directory that Rock Ridge moved elsewhere because it lay too deep: its own first record says its size. */
function movedDirectory(format: Format, name: string, block: number): IsoNode {
  const what = `moved directory ${quoted(name)}`;
  const start = { offset: block * format.blockSize, length: sectorSize };
  const stub: IsoNode = { name, kind: "directory", size: 0, extents: [start], problem: undefined };
  const self = readRecords(format, stub, what, 1)[0];
  if (self === undefined) throw malformed(format.image.name, what, "it has no records");
  return { ...stub, extents: [self.extent] };
}

function recordName(format: Format, identifier: Buffer): string {
  if (format.names === "joliet") {
    const even = Buffer.from(identifier.subarray(0, identifier.length & ~1));
    return even.swap16().toString("utf16le").replace(/;\d+$/, "");
  }
  return identifier.toString("latin1").toLowerCase().replace(/;\d+$/, "").replace(/\.$/, "");
}

function readContent(image: Image, file: IsoNode): Uint8Array {
  const what = `file ${quoted(file.name)}`;
  if (file.problem !== undefined) throw malformed(image.name, what, file.problem);
  const bytes = new Uint8Array(file.size);
  let done = 0;
  for (const { offset, length } of file.extents) {
    if (length === 0) continue;
    image.content(offset, bytes.subarray(done, done + length), what);
    done += length;
  }
  return bytes;
}
