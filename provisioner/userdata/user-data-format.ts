import type { Finding } from "#core/finding.ts";
import { gunzip } from "#core/gunzip.ts";
import { envelopeForm } from "./envelope-form.ts";
import type { RawDocument } from "./translation.ts";
import { readUtf8, type Utf8Fault } from "./utf8-text.ts";

const mebi = 1024 * 1024;
/** Of a document that was unpacked. */
export const maxBytes = 16 * mebi;

/** Formats of user-data that are told apart by how a text begins. */
export type UserDataFormat =
  | "cloud-config"
  | "cloud-config-jsonp"
  | "firstlight"
  | "signed"
  | "empty"
  | "script"
  | "cloud-boothook"
  | "include"
  | "include-once"
  | "cloud-config-archive"
  | "part-handler"
  | "jinja"
  | "mime"
  | "nix"
  | "unknown";

/** Beginnings, in any case and with whatever follows, as cloud-init's `type_from_starts_with` knows them. */
const beginnings: readonly (readonly [RegExp, UserDataFormat])[] = [
  [/^#cloud-config-archive/i, "cloud-config-archive"],
  [/^#cloud-config-jsonp/i, "cloud-config-jsonp"],
  [/^#cloud-config/i, "cloud-config"],
  [/^#firstlight-signed(?![\w-])/i, "signed"],
  [/^#firstlight\b/i, "firstlight"],
  [/^#cloud-boothook/i, "cloud-boothook"],
  [/^#include-once/i, "include-once"],
  [/^#include/i, "include"],
  [/^#part-handler/i, "part-handler"],
  [/^## template: jinja/i, "jinja"],
  [/^#nix\b/i, "nix"],
  [/^#!/, "script"],
  [/^(content-type|mime-version|return-path|received|from|to|subject):|^from \S+ /i, "mime"],
];

/** Says what the first line of a document makes it. */
export function sniff(text: string): UserDataFormat {
  const start = text.trimStart(); // takes a byte order mark away as well
  if (start === "") return "empty";
  return beginnings.find(([pattern]) => pattern.test(start))?.[1] ?? "unknown";
}

/** What decoding a document gives: its text, or the one finding that says why it has none. */
export interface Decoded {
  readonly text: string | undefined;
  readonly findings: readonly Finding[];
}

/** The text of a document: gunzipped where it is compressed, refused where it is not UTF-8. */
export function decodeUserData({ document, bytes }: RawDocument): Decoded {
  const refuse = (what: Refusal & Partial<Finding>) => {
    const nowhere = { document, path: "", line: null, column: null, level: "error" } as const;
    return { text: undefined, findings: [{ ...nowhere, ...what }] };
  };
  const unpacked = unpackDocument(bytes);
  if (unpacked.bytes === undefined) return refuse(unpacked.refusal);
  const read = readUtf8(unpacked.bytes);
  return read.text === undefined ? refuse(notUtf8(read)) : { text: read.text, findings: [] };
}

/** Why nothing is read of a document. */
export type Refusal = Pick<Finding, "code" | "message" | "hint">;

/** The bytes of a document, or why there are none. */
export type UnpackedDocument =
  | { readonly bytes: Uint8Array; readonly isPacked: boolean }
  | { readonly bytes?: undefined; readonly refusal: Refusal };

/** A document gunzipped where it is compressed; it holds at most `most` bytes then. */
export function unpackDocument(bytes: Uint8Array, most = maxBytes): UnpackedDocument {
  if (envelopeForm(bytes) !== undefined) {
    const message = "the document is an age envelope, which only its node opens";
    const hint = "look at the document itself";
    return { refusal: { code: "user-data/sealed", message, hint } };
  }
  const isPacked = isGzip(bytes);
  const unpacked = isPacked ? unpack(bytes, most) : { bytes };
  if (unpacked.broken !== undefined) {
    const message = `expected gzip data, as its first bytes say: ${unpacked.broken}`;
    const hint = "check that the document was not cut or encoded twice";
    return { refusal: { code: "user-data/undecodable", message, hint } };
  }
  if (unpacked.bytes === undefined || unpacked.bytes.length > most) {
    const message = `a document holds at most ${maxBytes / mebi} MiB, and this one is larger`;
    const hint = "check that it is the right file; fetch large contents by address";
    return { refusal: { code: "user-data/too-large", message, hint } };
  }
  return { bytes: unpacked.bytes, isPacked };
}

/** What is said of bytes that are not UTF-8, and where. */
export function notUtf8(read: Utf8Fault): Refusal & Pick<Finding, "line" | "column"> {
  const { line, column, found } = read;
  const message = `expected UTF-8 text, got ${found}`;
  const hint = "save the document as UTF-8, and check that it was not cut";
  return { line, column, code: "user-data/undecodable", message, hint };
}

/** Whether bytes are gzip data, by how they begin. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Unpacked bytes; none where there are more than are read, or where they are `broken`. */
function unpack(
  bytes: Uint8Array,
  most: number,
): { readonly bytes?: Uint8Array; readonly broken?: string } {
  try {
    return { bytes: gunzip(bytes, most) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ERR_BUFFER_TOO_LARGE" ? {} : { broken: message };
  }
}
