import type { Json } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { type Finding, findingPath } from "#core/finding.ts";
import { readUtf8 } from "#provisioner/userdata/utf8-text.ts";
import { readYaml, type YamlDocument, type YamlPosition } from "#provisioner/userdata/yaml.ts";
import { describeJsonError } from "./json-error.ts";

const maxDepth = 64;

/** What a JSON object holds. */
export type JsonObject = { readonly [key: string]: Json };

/** A JSON document that has been read, and where its parts stand. */
export interface JsonDocument {
  /** Name in findings: `network_data.json`. */
  readonly name: string;
  readonly value: Json;
  readonly text: string;
  /** Line and column of the value at `path`, or of its key; `undefined` where that is not known. */
  locate: YamlDocument["locate"];
}

/** What a finding says beside its place. */
export type About = Pick<Finding, "level" | "code" | "message" | "hint">;

/**
 * Reads JSON (RFC 8259). Throws `datasource/malformed` with the place, never with
 * a part of the text, which may be secret: when it is no JSON, no UTF-8, holds half of a surrogate
 * pair, or has more than 64 values inside one another. `place` stands in messages: `/dev/sr0`.
 */
export function readJson(bytes: Uint8Array, name: string, place: string): JsonDocument {
  const malformed = (problem: string) =>
    new Fault("datasource/malformed", `${place}: ${name}: ${problem}`, {
      hint: "write it as JSON in UTF-8, and check that it was not cut",
    });
  const decoded = readUtf8(bytes);
  if (decoded.text === undefined) {
    const { line, column, found } = decoded;
    throw malformed(`expected UTF-8, got ${found} in line ${line}, column ${column}`);
  }
  let value: Json;
  try {
    value = JSON.parse(decoded.text) as Json;
  } catch (error) {
    throw malformed(describeJsonError(decoded.text, error));
  }
  const problem = findProblem(value);
  if (problem !== undefined) throw malformed(problem);
  return { name, value, text: decoded.text, locate: lazyLocate(decoded.text, name) };
}

/** The object that a document must be. Throws `datasource/malformed` when it is none. */
export function requireObject({ name, value }: JsonDocument, place: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw new Fault(
    "datasource/malformed",
    `${place}: ${name}: a JSON object was expected, ${kindOf(value)} came`,
  );
}

/** Something to say about a value of the document. */
export function jsonFinding(
  { name, locate }: Pick<JsonDocument, "name" | "locate">,
  path: readonly (string | number)[],
  about: About,
): Finding {
  const { line, column } = locate(path, "key") ?? { line: null, column: null };
  return { document: name, path: findingPath(path), line, column, ...about };
}

/** Whether a value is an object: no list, not null. */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is a list. */
export function isJsonList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function kindOf(value: Json): string {
  if (value === null) return "null";
  return isJsonList(value) ? "a list" : `a ${typeof value}`;
}

/** Without recursion: the depth of a hostile document is not known yet. */
function findProblem(value: Json): string | undefined {
  let level: readonly Json[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) return `more than ${maxDepth} values inside one another`;
    const texts = level.flatMap((each) =>
      typeof each === "string" ? [each] : isJsonObject(each) ? Object.keys(each) : [],
    );
    if (!texts.every((text) => text.isWellFormed())) return "half of a surrogate pair in a text";
    level = level.flatMap((each) =>
      isJsonList(each) ? each : isJsonObject(each) ? Object.values(each) : [],
    );
  }
  return undefined;
}

/**
 * Places are read only when something is to be said of one. YAML takes no tabs where JSON does; they
 * stand between values only.
 */
function lazyLocate(text: string, document: string): YamlDocument["locate"] {
  let read: YamlDocument["locate"] | undefined;
  return (path, target): YamlPosition | undefined => {
    read ??= readYaml(text.replaceAll("\t", " "), { document }).locate;
    return read(path, target);
  };
}
