import type { Json } from "#core/canonical-json.ts";

type Schema = { readonly [keyword: string]: Json };

/** Of any letter of any script in UTF-8, by the characters that a schema counts. */
const bytesPerCharacter = 3;

/**
 * Most bytes that a value of this schema can have as JSON without white space: every text as long as
 * it may be and in letters of three bytes, every list full. `undefined` where a part
 * has no bound. What an open object may hold beside what is named is not counted.
 */
export function largestBytes(schema: Schema): number | undefined {
  if (schema["const"] !== undefined) return length(schema["const"]);
  if (Array.isArray(schema["enum"])) return Math.max(...schema["enum"].map(length));
  if (Array.isArray(schema["anyOf"])) return most(schema["anyOf"] as readonly Schema[]);
  if (Array.isArray(schema["type"]))
    return most(schema["type"].map((type) => ({ ...schema, type })));
  switch (schema["type"]) {
    case "string":
      return textBytes(schema);
    case "integer":
      return 20;
    case "number":
      return 26;
    case "boolean":
      return 5;
    case "null":
      return 4;
    case "array":
      return listBytes(schema);
    case "object":
      return objectBytes(schema);
    default:
      return undefined;
  }
}

function most(schemas: readonly Schema[]): number | undefined {
  const sizes = schemas.map(largestBytes);
  return sizes.some((size) => size === undefined)
    ? undefined
    : Math.max(...sizes.map((size) => size ?? 0));
}

function textBytes(schema: Schema): number | undefined {
  const most = schema["maxLength"];
  if (typeof most === "number") return most * bytesPerCharacter + 2;
  const pattern = schema["pattern"];
  const longest = typeof pattern === "string" ? longestMatch(pattern) : undefined;
  return longest === undefined ? undefined : longest + 2;
}

/** Characters of the longest text that a pattern of ours takes, which is ASCII; `undefined` where it has no end. */
function longestMatch(pattern: string): number | undefined {
  let left = pattern.replace(/^\^|\$$/g, "").replace(/\[[^\]]*\]|\\./g, "x");
  if (/[*+]|,\}/.test(left)) return undefined;
  const times = (unit: string, most: string) => unit.repeat(Number(most));
  while (/[({?]/.test(left)) {
    const next = left
      .replace(/([^(){}?])\{(?:\d+,)?(\d+)\}/g, (_, unit: string, most: string) =>
        times(unit, most),
      )
      .replace(/\(([^(){}?]*)\)\{(?:\d+,)?(\d+)\}/g, (_, unit: string, most: string) =>
        times(unit, most),
      )
      .replace(/\(([^(){}?]*)\)\??|([^(){}?])\?/g, "$1$2");
    if (next === left) return undefined;
    left = next;
  }
  return left.length;
}

function listBytes(schema: Schema): number | undefined {
  const item = largestBytes(schema["items"] as Schema);
  const count = schema["maxItems"];
  return item === undefined || typeof count !== "number" ? undefined : 2 + count * (item + 1);
}

function objectBytes(schema: Schema): number | undefined {
  let bytes = 2;
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, Schema>>;
  for (const [key, value] of Object.entries(properties)) {
    const size = largestBytes(value);
    if (size === undefined) return undefined;
    bytes += length(key) + 1 + size + 1;
  }
  const others = schema["additionalProperties"];
  const isNamed = Object.keys(properties).length > 0;
  if (others === undefined || others === false || (others === true && isNamed)) return bytes;
  const count = schema["maxProperties"];
  const names = (schema["propertyNames"] ?? {}) as Schema;
  const size = typeof others === "object" ? largestBytes(others as Schema) : undefined;
  const name = textBytes({ ...names, type: "string" });
  if (size === undefined || name === undefined || typeof count !== "number") return undefined;
  return bytes + count * (name + 1 + size + 1);
}

function length(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value));
}
