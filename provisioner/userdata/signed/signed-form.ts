import { gunzip } from "#core/gunzip.ts";
import { decodeWhole } from "../parts/document-bytes.ts";
import { isGzip } from "../user-data-format.ts";

const mebi = 1024 * 1024;
const maxBytes = 16 * mebi;

/** The first line of a document that is signed as a whole. */
export const signedLine = "#firstlight-signed";

/**
 * The bytes of a document that its first line calls signed, unpacked where they are compressed with
 * gzip, decoded where all of it is base64, or both; `undefined` for any other. White space and a byte
 * order mark before that line are passed over.
 */
export function signedBytes(bytes: Uint8Array): Uint8Array | undefined {
  const decoded = decodeWhole(bytes) ?? bytes;
  const plain = isGzip(decoded) ? unpack(decoded) : decoded;
  return plain !== undefined && beginsSigned(plain) ? plain : undefined;
}

function beginsSigned(bytes: Uint8Array): boolean {
  const start = startOf(bytes);
  const beginning = Buffer.from(bytes.subarray(start, start + signedLine.length + 1));
  return /^#firstlight-signed(?![\w-])/i.test(beginning.toString("latin1"));
}

/** Where the first line begins. */
export function startOf(bytes: Uint8Array): number {
  let start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while ([0x20, 0x09, 0x0a, 0x0d].includes(bytes[start] ?? 0)) start += 1;
  return start;
}

/** What is broken, or too large to be read, is for the reader of documents to name. */
function unpack(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return gunzip(bytes, maxBytes);
  } catch {
    return undefined;
  }
}
