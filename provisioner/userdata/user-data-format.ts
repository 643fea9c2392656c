import type { Finding } from "#core/finding.ts";
import { gunzip } from "#core/gunzip.ts";
import { envelopeForm } from "./envelope-form.ts";
import type { RawDocument } from "./translation.ts";
import { readUtf8 } from "./utf8-text.ts";

const mebi = 1024 * 1024;
const maxBytes = 16 * mebi;

/** Formats of user-data that are told apart; only the first two and `empty` are read. */
export type UserDataFormat =
  | "cloud-config"
  | "firstlight"
  | "signed"
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

/** A format of user-data that is told apart and not read. */
export type UnreadFormat = Exclude<
  UserDataFormat,
  "cloud-config" | "firstlight" | "signed" | "empty" | "jinja" | "unknown"
>;

/** What to do instead of each format that is not read. */
export const insteadOf: Readonly<Record<UnreadFormat, string>> = {
  script: "put its lines under `runcmd` of a #cloud-config, or under `commands` of a #firstlight",
  "cloud-boothook": "put its lines under `bootcmd` of a #cloud-config",
  include: "put the document itself in the place of its address",
  "include-once": "put the document itself in the place of its address",
  "cloud-config-archive": "write its parts as one #cloud-config",
  "cloud-config-jsonp": "apply the patch, and give the #cloud-config that comes of it",
  "part-handler": "do what it does beforehand, and give the #cloud-config that comes of it",
  mime: "write its parts as one #cloud-config, their scripts under `runcmd`",
  nix: "set the options under `options` of a #firstlight",
};

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
  const refuse = (what: Pick<Finding, "code" | "message" | "hint"> & Partial<Finding>) => {
    const nowhere = { document, path: "", line: null, column: null, level: "error" } as const;
    return { text: undefined, findings: [{ ...nowhere, ...what }] };
  };
  if (envelopeForm(bytes) !== undefined) {
    const message = "the document is an age envelope, which only its node opens";
    return refuse({ code: "user-data/sealed", message, hint: "look at the document itself" });
  }
  const unpacked = isGzip(bytes) ? unpack(bytes) : { bytes };
  if (unpacked.broken !== undefined) {
    const message = `expected gzip data, as its first bytes say: ${unpacked.broken}`;
    const hint = "check that the document was not cut or encoded twice";
    return refuse({ code: "user-data/undecodable", message, hint });
  }
  if (unpacked.bytes === undefined || unpacked.bytes.length > maxBytes) {
    const message = `a document holds at most ${maxBytes / mebi} MiB, and this one is larger`;
    const hint = "check that it is the right file; fetch large contents by address";
    return refuse({ code: "user-data/too-large", message, hint });
  }
  const read = readUtf8(unpacked.bytes);
  if (read.text !== undefined) return { text: read.text, findings: [] };
  const { line, column, found } = read;
  const message = `expected UTF-8 text, got ${found}`;
  const hint = "save the document as UTF-8, and check that it was not cut";
  return refuse({ line, column, code: "user-data/undecodable", message, hint });
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Unpacked bytes; none where there are more than are read, or where they are `broken`. */
function unpack(bytes: Uint8Array): { readonly bytes?: Uint8Array; readonly broken?: string } {
  try {
    return { bytes: gunzip(bytes, maxBytes) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ERR_BUFFER_TOO_LARGE" ? {} : { broken: message };
  }
}
