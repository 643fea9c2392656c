import schema from "./cloud-config.schema.json" with { type: "json" };
import type { Problem } from "./describe.ts";

type Schema = { readonly [keyword: string]: unknown };

/** A note for each key, or form of a value, that cloud-init has a newer word for. */
export function findDeprecated(value: unknown): readonly Problem[] {
  const found: Problem[] = [];
  visit(value, schema, [], found);
  return found;
}

function visit(value: unknown, at: unknown, path: readonly string[], found: Problem[]): void {
  const here = resolve(at);
  for (const form of here) {
    if (form["deprecated"] === true && isOf(value, form)) found.push(note(form, path));
  }
  if (Array.isArray(value)) {
    const items = here.map((form) => form["items"]).filter(isSchema);
    for (const [index, item] of value.entries()) {
      for (const form of items) visit(item, form, [...path, String(index)], found);
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      for (const form of here) {
        const below = propertyOf(form, key);
        if (below !== undefined) visit(inner, below, [...path, key], found);
      }
    }
  }
}

/** The schema itself with all it refers to and every alternative in it. */
function resolve(at: unknown): readonly Schema[] {
  if (!isSchema(at)) return [];
  const { $ref, anyOf } = at;
  const referred =
    typeof $ref === "string" ? resolve((schema.$defs as Schema)[$ref.replace("#/$defs/", "")]) : [];
  const branches = Array.isArray(anyOf) ? anyOf.flatMap(resolve) : [];
  return [at, ...referred, ...branches];
}

function propertyOf(form: Schema, key: string): unknown {
  const { properties, additionalProperties } = form;
  if (isSchema(properties) && Object.hasOwn(properties, key)) return properties[key];
  return isSchema(additionalProperties) ? additionalProperties : undefined;
}

/** Whether a value has the kind that a form of it is for; a deprecated key counts whatever it holds. */
function isOf(value: unknown, form: Schema): boolean {
  const { type, enum: values, pattern, $ref } = form;
  if (Array.isArray(values)) return values.includes(value);
  if (typeof $ref === "string") return isOf(value, resolve(form)[1] ?? {});
  if (typeof pattern === "string" && typeof value === "string") {
    return new RegExp(pattern, "u").test(value);
  }
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case undefined:
      return true;
    default:
      return typeof value === type;
  }
}

function note(form: Schema, path: readonly string[]): Problem {
  const [since = "", instead = ""] = String(form["$comment"]).split(": ");
  return {
    ...{ path, target: "key", level: "note", code: "cloud-config/deprecated" },
    message: `deprecated in cloud-init ${since.replace(/^since /, "since ")}`,
    hint: instead,
  };
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
