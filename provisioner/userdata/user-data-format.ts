import { gunzipSync } from "node:zlib";
import type { Finding } from "#core/finding.ts";
import type { RawDocument } from "./translation.ts";

const maxBytes = 16 * 1024 * 1024;

/** Formats of user-data that are told apart; only the first two and `empty` are read. */
export type UserDataFormat =
  | "cloud-config"
  | "firstlight"
  | "empty"
  | "script"
  | "cloud-boothook"
  | "include"
  | "include-once"
  | "cloud-config-archive"
  | "cloud-config-jsonp"
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

/** The text of a document: gunzipped where it is compressed, refused where it is not UTF-8. */
export function decodeUserData(raw: RawDocument): {
  readonly text: string | undefined;
  readonly findings: readonly Finding[];
} {
  const compressed = raw.bytes[0] === 0x1f && raw.bytes[1] === 0x8b;
  try {
    const bytes = compressed ? gunzipSync(raw.bytes, { maxOutputLength: maxBytes }) : raw.bytes;
    if (bytes.length > maxBytes) throw new Error(`larger than ${maxBytes} bytes`);
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), findings: [] };
  } catch (error) {
    const what = compressed ? "gzip data" : "UTF-8 text";
    const finding: Finding = {
      document: raw.document,
      path: "",
      line: null,
      column: null,
      level: "error",
      code: "user-data/undecodable",
      message: `expected ${what}: ${error instanceof Error ? error.message : String(error)}`,
      hint: "check that the document was not cut or encoded twice",
    };
    return { text: undefined, findings: [finding] };
  }
}
