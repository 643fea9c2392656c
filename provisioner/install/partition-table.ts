import { crc32 } from "node:zlib";
import type { ReadBytes } from "./signatures.ts";

/** One partition as the table itself says it. */
export interface TableEntry {
  readonly number: number;
  readonly startBytes: number;
  readonly sizeBytes: number;
  /** UUID of GPT in lower case, or `0x` and two digits of MBR. */
  readonly type: string;
  /** Its own UUID; of MBR made from the disk's as the kernel does. */
  readonly uuid: string;
  /** Name in GPT; empty in MBR. */
  readonly name: string;
}

/** A partition table, read from the disk. */
export interface PartitionTable {
  readonly kind: "gpt" | "dos" | "none";
  /** UUID of GPT, eight digits of MBR; `null` without a table. */
  readonly id: string | null;
  readonly entries: readonly TableEntry[];
  /** Why what is there is not to be believed, or `null`. */
  readonly damage: string | null;
}

const noTable: PartitionTable = { kind: "none", id: null, entries: [], damage: null };
const maxEntries = 1024;
const maxLogical = 128;

/**
 * Reads a table of GPT (UEFI specification, chapter 5) or MBR with its logical partitions. What lies
 * on a disk without a table, a file system for one, may look like an MBR: then its entries are none.
 */
export function readPartitionTable(
  read: ReadBytes,
  { size, sectorBytes }: { readonly size: number; readonly sectorBytes: number },
): PartitionTable {
  const first = view(read(0, 512));
  const hasMark = first.byteLength === 512 && first.getUint16(510, true) === 0xaa55;
  const gpt = readGpt(read, { at: sectorBytes, size, sectorBytes });
  if (gpt !== undefined) return gpt;
  // The copy at the end alone: the first one was overwritten, and any tool would bring it back.
  const backup = readGpt(read, { at: size - sectorBytes, size, sectorBytes });
  if (backup !== undefined)
    return { ...backup, damage: "only the copy of the table at the end is there" };
  if (!hasMark) return noTable;
  const types = [0, 1, 2, 3].map((slot) => first.getUint8(446 + slot * 16 + 4));
  if (types.includes(0xee))
    return { kind: "gpt", id: null, entries: [], damage: "its GPT cannot be read" };
  const isTable =
    types.some((type) => type !== 0) &&
    [0, 1, 2, 3].every((slot) => [0, 0x80].includes(first.getUint8(446 + slot * 16)));
  return isTable ? readMbr(read, { first, size, sectorBytes }) : noTable;
}

interface GptPlace {
  readonly at: number;
  readonly size: number;
  readonly sectorBytes: number;
}

function readGpt(read: ReadBytes, { at, size, sectorBytes }: GptPlace): PartitionTable | undefined {
  if (at < 0) return undefined;
  const header = view(read(at, Math.min(sectorBytes, 512)));
  if (header.byteLength < 92 || ascii(header, 0, 8) !== "EFI PART") return undefined;
  const id = guid(header, 56);
  const broken = (damage: string): PartitionTable => ({ kind: "gpt", id, entries: [], damage });
  const headerBytes = header.getUint32(12, true);
  if (headerBytes < 92 || headerBytes > header.byteLength) return broken("its header has no size");
  const sum = header.getUint32(16, true);
  const copy = new Uint8Array(header.buffer, header.byteOffset, headerBytes).slice();
  copy.fill(0, 16, 20);
  if (crc32(copy) !== sum) return broken("its header has another checksum");
  const count = header.getUint32(80, true);
  const entryBytes = header.getUint32(84, true);
  const start = Number(header.getBigUint64(72, true)) * sectorBytes;
  if (count > maxEntries || entryBytes < 128 || entryBytes > 4096 || start + 1 > size)
    return broken("its header asks for impossible entries");
  const table = read(start, count * entryBytes);
  if (crc32(table) !== header.getUint32(88, true))
    return broken("its entries have another checksum");
  const data = view(table);
  const entries: TableEntry[] = [];
  for (let index = 0; index < count; index++) {
    const offset = index * entryBytes;
    const type = guid(data, offset);
    if (/^[0-]+$/.test(type)) continue;
    const [from, to] = [data.getBigUint64(offset + 32, true), data.getBigUint64(offset + 40, true)];
    entries.push({
      number: index + 1,
      startBytes: Number(from) * sectorBytes,
      sizeBytes: Number(to - from + 1n) * sectorBytes,
      type,
      uuid: guid(data, offset + 16),
      name: nameOf(data, offset + 56),
    });
  }
  return { kind: "gpt", id, entries, damage: null };
}

interface MbrPlace {
  readonly first: DataView;
  readonly size: number;
  readonly sectorBytes: number;
}

function readMbr(read: ReadBytes, { first, size, sectorBytes }: MbrPlace): PartitionTable {
  const id = first.getUint32(440, true).toString(16).padStart(8, "0");
  const entries: TableEntry[] = [];
  let damage: string | null = null;
  const add = (number: number, slot: Slot, base: number) => {
    const startBytes = (base + slot.start) * sectorBytes;
    const sizeBytes = slot.count * sectorBytes;
    if (startBytes + sizeBytes > size) damage = `partition ${number} reaches beyond the disk`;
    const uuid = `${id}-${number.toString(16).padStart(2, "0")}`;
    entries.push({ number, startBytes, sizeBytes, type: slot.type, uuid, name: "" });
  };
  for (const [index, slot] of slotsOf(first).entries()) {
    if (slot.type === "0x00") continue;
    add(index + 1, slot, 0);
    if (!extended.has(slot.type)) continue;
    let next = slot.start;
    for (let logical = 0; logical < maxLogical; logical++) {
      const block = view(read(next * sectorBytes, 512));
      if (block.byteLength < 512 || block.getUint16(510, true) !== 0xaa55) break;
      const [inner, link] = slotsOf(block);
      if (inner !== undefined && inner.type !== "0x00" && inner.count > 0)
        add(5 + logical, inner, next);
      if (link === undefined || !extended.has(link.type) || link.start === 0) break;
      next = slot.start + link.start;
    }
  }
  return { kind: "dos", id, entries, damage };
}

const extended = new Set(["0x05", "0x0f", "0x85"]);

interface Slot {
  readonly type: string;
  readonly start: number;
  readonly count: number;
}

function slotsOf(block: DataView): readonly Slot[] {
  return [0, 1, 2, 3].map((slot) => {
    const at = 446 + slot * 16;
    return {
      type: `0x${block
        .getUint8(at + 4)
        .toString(16)
        .padStart(2, "0")}`,
      start: block.getUint32(at + 8, true),
      count: block.getUint32(at + 12, true),
    };
  });
}

/** The first three fields of a GUID on disk are little-endian. */
function guid(data: DataView, at: number): string {
  const part = (value: number, digits: number) => value.toString(16).padStart(digits, "0");
  const rest = [...new Uint8Array(data.buffer, data.byteOffset + at + 8, 8)]
    .map((byte) => part(byte, 2))
    .join("");
  return [
    part(data.getUint32(at, true), 8),
    part(data.getUint16(at + 4, true), 4),
    part(data.getUint16(at + 6, true), 4),
    rest.slice(0, 4),
    rest.slice(4),
  ].join("-");
}

function nameOf(data: DataView, at: number): string {
  const name = Buffer.from(data.buffer, data.byteOffset + at, 72).toString("utf16le");
  const end = name.indexOf("\0");
  return (end < 0 ? name : name.slice(0, end)).toWellFormed().replace(/[\p{C}]/gu, "");
}

function ascii(data: DataView, at: number, length: number): string {
  return Buffer.from(data.buffer, data.byteOffset + at, length).toString("latin1");
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
