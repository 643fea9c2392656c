import { isGzip, sniff, type UnpackedDocument, unpackDocument } from "../user-data-format.ts";
import { latin1Text } from "./latin1.ts";

/** A document is looked at so far for what it is (cloud-init's `convert_string`). */
const headBytes = 4096;

/** Text without a byte order mark and white space before it, one character a byte. */
const beforeText = /^(?:\xef\xbb\xbf)?[\s]*/;

/**
 * Bytes of a document as they were before they were packed (gzip) or encoded (base64), as many clouds
 * and tools do with all of it.
 */
export function openDocument(bytes: Uint8Array, most: number): UnpackedDocument {
  const opened = unpackDocument(bytes, most);
  if (opened.bytes === undefined || opened.isPacked) return opened;
  const inner = decodeWhole(opened.bytes);
  if (inner === undefined) return opened;
  const unpacked = unpackDocument(inner, most);
  return unpacked.bytes === undefined ? unpacked : { bytes: unpacked.bytes, isPacked: true };
}

/** What base64 stands for, where all of a document is that and what comes of it is known. */
export function decodeWhole(bytes: Uint8Array): Uint8Array | undefined {
  const head = latin1Text(bytes.subarray(0, headBytes)).replace(/\s+/g, "");
  if (head.length < 8 || !/^[A-Za-z0-9+/]+=*$/.test(head)) return undefined;
  const text = latin1Text(bytes).replace(/\s+/g, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const decoded = Buffer.from(text, "base64");
  if (isGzip(decoded)) return decoded;
  const format = sniff(latin1Text(decoded.subarray(0, headBytes)));
  return format === "unknown" || format === "empty" ? undefined : decoded;
}

/** A message in the sense of MIME, and how many lines stood before it. */
export interface FoundMessage {
  readonly bytes: Uint8Array;
  readonly linesBefore: number;
}

/**
 * The message that a document is. cloud-init takes for one what says `MIME-Version:` near its beginning;
 * here one that begins as a mail does is one too, also behind empty lines.
 */
export function findMessage(bytes: Uint8Array): FoundMessage | undefined {
  const head = latin1Text(bytes.subarray(0, headBytes));
  const [before = ""] = beforeText.exec(head) ?? [];
  if (sniff(head.slice(before.length)) === "mime") {
    return {
      bytes: bytes.subarray(before.length),
      linesBefore: before.split(/\r\n|\r|\n/).length - 1,
    };
  }
  return head.toLowerCase().includes("mime-version:") ? { bytes, linesBefore: 0 } : undefined;
}
