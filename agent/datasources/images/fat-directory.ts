import { readLabel } from "./fat-geometry.ts";
import type { VolumeEntry } from "./volume.ts";

const entrySize = 32;
const attributes = { label: 0x08, directory: 0x10, longName: 0x0f, mask: 0x3f };
const maxLongNameParts = 20;
const lowerBase = 0x08;
const lowerExtension = 0x10;

/** An entry of a FAT directory. */
export interface FatNode extends VolumeEntry {
  /** First cluster of its contents; 0 when it has none. */
  readonly cluster: number;
}

/**
 * Entries of a directory without `.`, `..`, deleted ones and labels, from its bytes, taken piece by
 * piece until the mark of its end. Long names count only if their parts are complete, in order and
 * bear the checksum of the short name (as in Linux).
 */
export function readFatDirectory(pieces: Iterable<Buffer>): readonly FatNode[] {
  const nodes: FatNode[] = [];
  const long = longNames();
  for (const entry of entriesOf(pieces)) {
    const attribute = entry.readUInt8(11) & attributes.mask;
    if (entry[0] !== 0xe5 && attribute === attributes.longName) {
      long.add(entry);
    } else if (entry[0] === 0xe5 || (attribute & attributes.label) !== 0) {
      long.reset();
    } else {
      const node = toNode(entry, long.take(entry), (attribute & attributes.directory) !== 0);
      if (entry[0] !== 0x2e) nodes.push(node);
    }
  }
  return nodes;
}

/** The volume label that a directory holds, read no further than to it. */
export function readFatLabel(pieces: Iterable<Buffer>): string | null {
  for (const entry of entriesOf(pieces)) {
    const attribute = entry.readUInt8(11) & attributes.mask;
    if (
      entry[0] !== 0xe5 &&
      attribute !== attributes.longName &&
      (attribute & attributes.label) !== 0
    ) {
      return readLabel(unescaped(entry.subarray(0, 11)));
    }
  }
  return null;
}

function* entriesOf(pieces: Iterable<Buffer>): Generator<Buffer> {
  for (const piece of pieces) {
    for (let at = 0; at + entrySize <= piece.length; at += entrySize) {
      if (piece[at] === 0) return;
      yield piece.subarray(at, at + entrySize);
    }
  }
}

function toNode(entry: Buffer, longName: string | undefined, isDirectory: boolean): FatNode {
  return {
    name: longName ?? shortName(entry),
    kind: isDirectory ? "directory" : "file",
    size: isDirectory ? 0 : entry.readUInt32LE(28),
    cluster: entry.readUInt16LE(20) * 2 ** 16 + entry.readUInt16LE(26),
  };
}

/** Collects the parts of a long name, which come last part first before their short name. */
function longNames() {
  let parts: Buffer[] = [];
  let expected = 0;
  let checksum = -1;
  const reset = () => {
    parts = [];
    expected = 0;
    checksum = -1;
  };
  return {
    reset,
    add(entry: Buffer) {
      const order = entry.readUInt8(0);
      const number = order & 0x1f;
      if ((order & 0x40) !== 0) {
        reset();
        checksum = entry.readUInt8(13);
        expected = number;
      }
      const fits =
        number === expected && number > 0 && number <= maxLongNameParts && entry[13] === checksum;
      if (!fits) {
        reset();
        return;
      }
      parts.unshift(
        Buffer.concat([entry.subarray(1, 11), entry.subarray(14, 26), entry.subarray(28, 32)]),
      );
      expected -= 1;
    },
    take(entry: Buffer): string | undefined {
      const complete = parts.length > 0 && expected === 0 && checksum === shortNameChecksum(entry);
      const text = complete ? Buffer.concat(parts).toString("utf16le") : undefined;
      reset();
      const end = text?.indexOf("\0") ?? -1;
      return end < 0 ? text : text?.slice(0, end);
    },
  };
}

function shortNameChecksum(entry: Buffer): number {
  let sum = 0;
  for (const byte of entry.subarray(0, 11)) sum = (((sum & 1) << 7) + (sum >> 1) + byte) & 0xff;
  return sum;
}

function shortName(entry: Buffer): string {
  const bytes = unescaped(entry.subarray(0, 11));
  const cases = entry.readUInt8(12);
  const base = bytes.toString("latin1", 0, 8).trimEnd();
  const extension = bytes.toString("latin1", 8, 11).trimEnd();
  const shown = (text: string, flag: number) => ((cases & flag) !== 0 ? text.toLowerCase() : text);
  const dot = extension === "" ? "" : ".";
  return `${shown(base, lowerBase)}${dot}${shown(extension, lowerExtension)}`;
}

/** 0x05 stands for 0xe5 in the first place, which would mark the entry as deleted. */
function unescaped(name: Buffer): Buffer {
  return name[0] === 0x05 ? Buffer.concat([Buffer.from([0xe5]), name.subarray(1)]) : name;
}
