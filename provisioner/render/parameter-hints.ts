import { nearest } from "#core/nearest.ts";
import { oneOf } from "#core/one-of.ts";
import type { ParameterFault } from "./templates.ts";

type Schema = Readonly<Record<string, unknown>>;

/** What would fit in the place of a parameter that does not, by the schema of its template. */
export function hintAt(schema: Schema, parameters: unknown, fault: ParameterFault): string {
  const { path, missing } = fault;
  const here = schemaAt(schema, missing === undefined ? path : [...path, missing]);
  if (here === undefined) return nearName(schema, path);
  const said = valueAt(parameters, path);
  const words = Array.isArray(here["enum"]) ? here["enum"].map(String) : [];
  const near = typeof said === "string" ? nearest(said, words) : undefined;
  if (near !== undefined) return `did you mean \`${near}\`?`;
  const example = Array.isArray(here["examples"]) ? here["examples"][0] : words[0];
  if (example === undefined) return "docs/templates.md shows each parameter";
  return `write it like \`${typeof example === "string" ? example : JSON.stringify(example)}\``;
}

/** Of a name that the mapping around it does not have. */
function nearName(schema: Schema, path: readonly string[]): string {
  const known = Object.keys(object(schemaAt(schema, path.slice(0, -1))?.["properties"]));
  const near = nearest(path.at(-1) ?? "", known);
  if (near !== undefined) return `did you mean \`${near}\`?`;
  return known.length === 0 ? "remove it" : `it has ${oneOf(known)}`;
}

/** The schema of the value at a path; `undefined` where none may stand. */
function schemaAt(schema: Schema, path: readonly string[]): Schema | undefined {
  let here: Schema | undefined = schema;
  for (const name of path) {
    const properties = object(here["properties"]);
    const next: unknown = Object.hasOwn(properties, name)
      ? properties[name]
      : (here["items"] ?? here["additionalProperties"]);
    if (typeof next !== "object" || next === null) return undefined;
    here = next as Schema;
  }
  return here;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce((here, name) => {
    const inner = object(here);
    return Object.hasOwn(inner, name) ? inner[name] : undefined;
  }, value);
}

function object(value: unknown): Schema {
  return typeof value === "object" && value !== null ? (value as Schema) : {};
}
