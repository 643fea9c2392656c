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

const firstLines: readonly (readonly [RegExp, UserDataFormat])[] = [
  [/^#cloud-config-archive\b/, "cloud-config-archive"],
  [/^#cloud-config-jsonp\b/, "cloud-config-jsonp"],
  [/^#cloud-config\b/, "cloud-config"],
  [/^#firstlight\b/, "firstlight"],
  [/^#cloud-boothook\b/, "cloud-boothook"],
  [/^#include-once\b/, "include-once"],
  [/^#include\b/, "include"],
  [/^#part-handler\b/, "part-handler"],
  [/^## template: *jinja\b/i, "jinja"],
  [/^#nix\b/, "nix"],
  [/^#!/, "script"],
  [/^(content-type|mime-version|from [^ ]+|return-path):?/i, "mime"],
];

/** Says what the first line of a document makes it. */
export function sniff(text: string): UserDataFormat {
  const start = text.replace(/^﻿/, "");
  if (start.trim() === "") return "empty";
  return firstLines.find(([pattern]) => pattern.test(start.trimStart()))?.[1] ?? "unknown";
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
