import { type Image, malformed } from "./image.ts";
import type { VolumeEntry } from "./volume.ts";

const maxContinuations = 16;
const maxContinuationBytes = 2048;
const maxNameBytes = 1024;

/** That the System Use Sharing Protocol is in use (IEEE P1281), and how its areas begin. */
export interface Sharing {
  /** Bytes at the start of each system use area that belong to someone else. */
  readonly skip: number;
}

/** What Rock Ridge (IEEE P1282) says of an entry. */
export interface RockRidge {
  readonly name: string | undefined;
  readonly kind: VolumeEntry["kind"] | undefined;
  /** Block of the directory that this entry stands for, when it was moved. */
  readonly childBlock: number | undefined;
  /** Whether the entry is the place that a directory was moved to, which is not shown. */
  readonly relocated: boolean;
  readonly problem: string | undefined;
}

/** Whether an image has Rock Ridge, by the system use area of its first record. */
export function readSharing(area: Buffer): Sharing | undefined {
  const isSharing =
    area.length >= 7 && area.toString("latin1", 0, 2) === "SP" && area.readUInt16BE(4) === 0xbeef;
  return isSharing ? { skip: area.readUInt8(6) } : undefined;
}

/** Reads the system use area of a record and the areas it continues in, which may be anywhere. */
export function systemUse(image: Image, blockSize: number, area: Buffer, what: string): RockRidge {
  const nameParts: Buffer[] = [];
  let nameBytes = 0;
  let kind: RockRidge["kind"];
  let childBlock: number | undefined;
  let relocated = false;
  let problem: string | undefined;
  for (const { signature, payload } of entries(image, blockSize, area, what)) {
    if (signature === "NM" && payload.length > 1) {
      nameBytes += payload.length - 1;
      if (nameBytes > maxNameBytes)
        throw malformed(image.name, what, `a name of more than ${maxNameBytes} bytes`);
      nameParts.push(payload.subarray(1));
    } else if (signature === "PX" && payload.length >= 4) {
      kind = kindOfMode(payload.readUInt32LE(0));
    } else if (signature === "CL" && payload.length >= 4) {
      childBlock = payload.readUInt32LE(0);
    } else if (signature === "RE") {
      relocated = true;
    } else if (signature === "ZF") {
      problem = "is compressed (zisofs), which is not read";
    }
  }
  const name = nameParts.length === 0 ? undefined : Buffer.concat(nameParts).toString("utf8");
  return { name, kind, childBlock, relocated, problem };
}

/** The entries of an area in order, its continuations after it, as the protocol wants it. */
function* entries(image: Image, blockSize: number, first: Buffer, what: string) {
  let area = first;
  for (let hops = 0; ; hops++) {
    let next: { offset: number; length: number } | undefined;
    for (let at = 0; at + 4 <= area.length; ) {
      const length = area.readUInt8(at + 2);
      if (length < 4 || at + length > area.length) break; // padding
      const signature = area.toString("latin1", at, at + 2);
      const payload = area.subarray(at + 4, at + length);
      if (signature === "ST") break;
      if (signature === "CE" && payload.length >= 24) {
        const offset = payload.readUInt32LE(0) * blockSize + payload.readUInt32LE(8);
        next = { offset, length: payload.readUInt32LE(16) };
      }
      yield { signature, payload };
      at += length;
    }
    if (next === undefined) return;
    if (hops >= maxContinuations || next.length > maxContinuationBytes) {
      throw malformed(image.name, what, "its system use area continues without end");
    }
    area = image.structure(next.offset, next.length, `${what}, continuation`);
  }
}

function kindOfMode(mode: number): VolumeEntry["kind"] {
  switch (mode & 0o170000) {
    case 0o100000:
      return "file";
    case 0o040000:
      return "directory";
    case 0o120000:
      return "link";
    default:
      return "other";
  }
}
