import { knownKeys, type ValidationError } from "#generated/provisioner/spec/v1.validate.js";
import schema from "./v1.schema.json" with { type: "json" };

type Schema = { readonly [keyword: string]: unknown };

/**
 * Keys that the object of an error about an unknown key may have. The validator's own table is asked
 * first; inside a definition of its own an error tells only its place there, and the object is found
 * by the path of the value.
 */
export function keysBeside(error: ValidationError, path: readonly string[]): readonly string[] {
  const place = error.schemaPath.replace(/\/additionalProperties$/, "");
  if (place.startsWith("#/$defs/")) return knownKeys[place] ?? [];
  return Object.keys(asSchema(schemaAt(path))["properties"] ?? {});
}

/** The example that the schema gives of a text or number of one line; by the same ways. */
export function exampleAt(error: ValidationError, path: readonly string[]): string | undefined {
  const place = error.schemaPath.split("/").slice(1, -1);
  const isWhole = place[0] === "$defs";
  const here = isWhole ? place.reduce(inside, schema as Schema) : asSchema(schemaAt(path));
  return shortExample(here);
}

/** The example of the value at a path. */
export function exampleBelow(path: readonly string[]): string | undefined {
  return shortExample(asSchema(schemaAt(path)));
}

function shortExample({ examples }: Schema): string | undefined {
  const example = Array.isArray(examples) ? String(examples[0]) : "";
  return example === "" || example.includes("\n") ? undefined : example;
}

function inside(schema: Schema, part: string): Schema {
  return asSchema(schema[part]);
}

/** Every `type` that a check may have, in the schema's order. */
export function checkTypes(): readonly string[] {
  return schema.$defs.check.oneOf.map(({ properties }) => properties.type.const);
}

/** The schema of the value at a path, as far as no alternatives stand on the way. */
function schemaAt(path: readonly string[]): unknown {
  let here = asSchema(schema);
  for (const part of path) {
    const { items, additionalProperties } = here;
    const properties = asSchema(here["properties"]);
    const own = Object.hasOwn(properties, part) ? properties[part] : undefined;
    here = asSchema(own ?? items ?? additionalProperties);
  }
  return here;
}

/** What a `$ref` stands for; nothing known where there is no schema. */
function asSchema(value: unknown): Schema {
  if (typeof value !== "object" || value === null) return {};
  const { $ref } = value as { readonly $ref?: unknown };
  if (typeof $ref !== "string") return value as Schema;
  return asSchema(asSchema(schema.$defs)[$ref.replace("#/$defs/", "")]);
}
