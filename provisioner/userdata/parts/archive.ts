import type { Json } from "#core/canonical-json.ts";
import { type Finding, findingPath } from "#core/finding.ts";
import { nearest } from "#core/nearest.ts";
import { sniff } from "../user-data-format.ts";
import { readYaml } from "../yaml.ts";

/** One entry of a `#cloud-config-archive`. */
export interface ArchiveEntry {
  readonly contentType: string;
  readonly content: Uint8Array;
  readonly filename: string | null;
  /** Header fields that it has beside these, by the names that were written. */
  readonly fields: ReadonlyMap<string, string>;
  /** Line of the archive that the entry stands in. */
  readonly line: number;
  /** Line of the archive that its content begins in; `undefined` where its lines are others. */
  readonly contentLine: number | undefined;
}

/** Entries that can be read, in their order, and what is said of the others. */
export interface ReadArchive {
  readonly entries: readonly ArchiveEntry[];
  readonly findings: readonly Finding[];
}

type Mapping = { readonly [key: string]: Json };
type Locate = (path: readonly (string | number)[]) => number;

/** Reads an archive: a list of contents, or of mappings with `content`, `type`, `filename` and fields. */
export function readArchive(text: string, document: string): ReadArchive {
  const { value, findings: read, locate, binary } = readYaml(text, { document });
  const findings = read.filter(({ code }) => code !== "yaml/kept-as-text"); // its bytes are taken
  if (value === undefined) return { entries: [], findings };
  const lineOf: Locate = (path) => locate(path, "value")?.line ?? 1;
  const wrong = (index: number | undefined, message: string, hint: string): Finding => {
    const line = index === undefined ? 1 : lineOf([index]);
    const place = { document, path: index === undefined ? "" : String(index), line, column: 1 };
    return { ...place, level: "error", code: "user-data/archive-entry", message, hint };
  };
  if (!Array.isArray(value)) {
    const hint = "write a list: each entry with `type` and `content`";
    return { entries: [], findings: [...findings, wrong(undefined, "expected a list", hint)] };
  }
  const entries: ArchiveEntry[] = [];
  const said: Finding[] = [...findings];
  const lines = text.split(/\r\n?|\n/);
  for (const [index, item] of (value as readonly Json[]).entries()) {
    const entry: Mapping | undefined = typeof item === "string" ? { content: item } : mapping(item);
    const path = typeof item === "string" ? [index] : [index, "content"];
    const bytes = binary?.(path);
    const content = bytes ?? entry?.["content"] ?? "";
    if (entry === undefined || (typeof content !== "string" && bytes === undefined)) {
      const hint = "write a mapping with `type` and `content`, the content as text";
      said.push(wrong(index, "expected an entry with text as its content", hint));
      continue;
    }
    said.push(...unknownKeys(entry, index, document, locate));
    const contentType = typeOf(entry, typeof content === "string" ? content : undefined);
    if (contentType === undefined) {
      const hint = "write a type and a subtype, `text/x-shellscript`";
      said.push(wrong(index, "`type` of an entry is no type of content", hint));
      continue;
    }
    const place = locate(path, "value");
    const isLiteral = place !== undefined && lines[place.line - 1]?.[place.column - 1] === "|";
    entries.push({
      contentType,
      content: typeof content === "string" ? Buffer.from(content, "utf8") : (bytes as Uint8Array),
      filename: textOf(entry["filename"]) ?? null,
      fields: fieldsOf(entry),
      line: lineOf([index]),
      contentLine: isLiteral ? place.line + 1 : undefined,
    });
  }
  return { entries, findings: said };
}

/** As cloud-init: what the entry says, else what its first line says, else a cloud-config. */
function typeOf(entry: Mapping, content: string | undefined): string | undefined {
  const type = entry["type"];
  if (type === undefined || type === null || type === "") {
    if (content === undefined) return "text/plain";
    const format = sniff(content);
    return format === "unknown" || format === "mime" ? "text/cloud-config" : "text/plain";
  }
  if (typeof type !== "string") return undefined;
  const clean = type.trim().toLowerCase();
  return clean.split("/").length === 2 ? clean : undefined;
}

/** Headers that mean something on an entry, beside its own keys. */
const knownKeys = [
  ...["content", "type", "filename", "launch-index", "merge-type", "x-merge-type"],
  "content-encoding",
];

/** What is spelt like a key that an entry has, and is none; anything else is a header of the part. */
function unknownKeys(
  entry: Mapping,
  index: number,
  document: string,
  locate: ReturnType<typeof readYaml>["locate"],
): readonly Finding[] {
  return Object.keys(entry).flatMap((key): Finding[] => {
    if (knownKeys.includes(key.toLowerCase())) return [];
    const near = nearest(key, knownKeys);
    const { line, column } = locate([index, key], "key") ?? { line: 1, column: 1 };
    const hint = near === undefined ? "remove it; it has no effect" : `did you mean \`${near}\`?`;
    const place = { document, path: findingPath([index, key]), line, column };
    const message = "an entry of an archive has no such key";
    const level = near === undefined ? "note" : "warning";
    return [{ ...place, level, code: "user-data/archive-entry", message, hint }];
  });
}

const ownKeys: ReadonlySet<string> = new Set(["content", "type", "filename", "launch-index"]);

function fieldsOf(entry: Mapping): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [key, value] of Object.entries(entry)) {
    const text = textOf(value);
    if (text === undefined) continue;
    const name = key.toLowerCase() === "launch-index" ? "Launch-Index" : key;
    if (name === "Launch-Index" || !ownKeys.has(key.toLowerCase())) fields.set(name, text);
  }
  return fields;
}

function textOf(value: Json | undefined): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function mapping(value: Json): Mapping | undefined {
  const isMapping = typeof value === "object" && value !== null && !Array.isArray(value);
  return isMapping ? (value as Mapping) : undefined;
}
