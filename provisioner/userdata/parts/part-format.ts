import { sniff, type UserDataFormat } from "../user-data-format.ts";
import type { PartFormat } from "./part.ts";

/** What a part is: one that is used as it is, one that holds or names others, or none that is known. */
export type PartKind =
  | PartFormat
  | "include"
  | "include-once"
  | "cloud-config-archive"
  | "part-handler"
  | "jinja"
  | "signed"
  | "empty"
  | "unknown";

/** Types of content that say what a part is, as cloud-init's handlers list them, and ours. */
const kinds: ReadonlyMap<string, PartKind> = new Map<string, PartKind>([
  ["text/cloud-config", "cloud-config"],
  ["text/cloud-config-jsonp", "cloud-config-jsonp"],
  ["text/cloud-config-archive", "cloud-config-archive"],
  ["text/cloud-boothook", "cloud-boothook"],
  ["text/part-handler", "part-handler"],
  ["text/jinja2", "jinja"],
  ["text/x-include-url", "include"],
  ["text/x-include-once-url", "include-once"],
  ["text/x-shellscript", "script"],
  ["text/x-shellscript-per-boot", "script-per-boot"],
  ["text/x-shellscript-per-instance", "script-per-instance"],
  ["text/x-shellscript-per-once", "script-per-once"],
  ["text/x-firstlight", "firstlight"],
  ["text/x-nix", "nix"],
]);

/** The same by their names. */
export const knownTypes: readonly string[] = [...kinds.keys()];

/** Types that leave open what a part is, as does having none: its first line says it then. */
const openTypes: ReadonlySet<string> = new Set(["text/plain", "text/x-not-multipart"]);

/** Types of content that is packed by gzip, as cloud-init knows them. */
export const gzipTypes: ReadonlySet<string> = new Set([
  ...["application/gzip", "application/gzip-compressed", "application/gzipped"],
  ...["application/x-compress", "application/x-compressed", "application/x-gunzip"],
  ...["application/x-gzip", "application/x-gzip-compressed"],
]);

/** The content of a part, and what is said of it. */
export interface TypedContent {
  readonly contentType: string;
  readonly filename: string | null;
  /** `undefined` where it is no text. */
  readonly text: string | undefined;
}

/**
 * What a part is, by its type or by its first line. A script is one by its type only where its first line
 * says nothing else: many documents are sent as scripts that are none.
 */
export function kindOf({ contentType, filename, text }: TypedContent): PartKind {
  const kind = kinds.get(contentType);
  const sniffed = kindOfText(text);
  if (kind === "script") return sniffed === "unknown" || sniffed === "empty" ? kind : sniffed;
  if (kind !== undefined) return sniffed === "jinja" ? sniffed : kind;
  const isNix = filename?.endsWith(".nix") ?? false;
  if (openTypes.has(contentType) && sniffed !== "unknown") return sniffed;
  if (isNix && (openTypes.has(contentType) || contentType === "application/octet-stream")) {
    return "nix";
  }
  return "unknown";
}

/** Whether a part is a program that is started as it is. */
export function isScript(kind: PartKind): kind is Extract<PartFormat, `script${string}`> {
  return kind.startsWith("script");
}

function kindOfText(text: string | undefined): PartKind {
  if (text === undefined) return "unknown";
  const format: UserDataFormat = sniff(text);
  return format === "mime" ? "unknown" : format;
}
