import type { Json } from "#core/canonical-json.ts";
import type { Code } from "#core/codes.ts";
import { Fault } from "#core/fault.ts";
import { type Finding, placeOfFinding } from "#core/finding.ts";
import { readUtf8 } from "#provisioner/userdata/utf8-text.ts";
import { readYaml } from "#provisioner/userdata/yaml.ts";

/** The meta-data of one place, a mapping. */
export interface MetaData {
  /** Name of the document in findings, default `meta-data`. */
  readonly document?: string;
  readonly value: MetaDataValue;
  readonly findings: readonly Finding[];
  /** Line and column of a value, `undefined` when it is not in this document. */
  locate(
    path: readonly (string | number)[],
  ): { readonly line: number; readonly column: number } | undefined;
}

export type MetaDataValue = { readonly [key: string]: Json };

/** Name of the document in findings. */
const metaDataDocument = "meta-data";

/**
 * Reads meta-data, which is YAML or JSON; an empty document is an empty mapping. Throws
 * `datasource/malformed` with all findings when it is neither or no mapping. `place` stands in
 * messages: `/dev/sr0`.
 */
export function readMetaData(bytes: Uint8Array, place: string): MetaData {
  const { value, findings, locate } = readYaml(decode(bytes, place), {
    document: metaDataDocument,
  });
  if (value === undefined) {
    const first = findings.find((finding) => finding.level === "error");
    const said = first === undefined ? "" : `: ${placeOfFinding(first)}: ${first.message}`;
    const message = `${place}: ${metaDataDocument} is no YAML${said}`;
    throw new Fault("datasource/malformed", message, { findings });
  }
  if (value === null) return { value: {}, findings, locate };
  if (typeof value !== "object" || isList(value)) {
    const came = isList(value) ? "a list" : `a ${typeof value}`;
    throw new Fault(
      "datasource/malformed",
      `${place}: ${metaDataDocument}: a mapping was expected, ${came} came`,
    );
  }
  return { value, findings, locate };
}

/**
 * Meta-data of several places as one, as cloud-init merges them: what an earlier place says stands,
 * mappings inside are merged the same way.
 */
export function mergeMetaData(values: readonly MetaDataValue[]): MetaDataValue {
  const merged = new Map<string, Json>();
  for (const value of values) {
    for (const [key, later] of Object.entries(value)) {
      const earlier = merged.get(key);
      if (earlier === undefined) merged.set(key, later);
      else if (isMapping(earlier) && isMapping(later))
        merged.set(key, mergeMetaData([earlier, later]));
    }
  }
  return Object.fromEntries(merged);
}

/** A warning or note about a value of the meta-data, at its place. */
export function metaDataFinding(
  metaData: Pick<MetaData, "document" | "locate">,
  path: readonly (string | number)[],
  about: { level: "warning" | "note"; code: Code; message: string; hint: string },
): Finding {
  const place = metaData.locate(path);
  return {
    document: metaData.document ?? metaDataDocument,
    path: path.join("."),
    line: place?.line ?? null,
    column: place?.column ?? null,
    ...about,
  };
}

function decode(bytes: Uint8Array, place: string): string {
  const read = readUtf8(bytes);
  if (read.text !== undefined) return read.text;
  const where = `${metaDataDocument}:${read.line}:${read.column}`;
  throw new Fault("datasource/malformed", `${place}: ${where}: expected UTF-8, got ${read.found}`);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isMapping(value: Json): value is MetaDataValue {
  return typeof value === "object" && value !== null && !isList(value);
}
