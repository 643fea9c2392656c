import type { Json } from "#core/canonical-json.ts";

type Schema = { readonly [keyword: string]: Json };

/**
 * An example of a value from the first `examples` of each leaf of its schema; every property is
 * there, so that an example shows all that can be said.
 */
export function exampleOf(schema: Schema): Json {
  if (Array.isArray(schema["examples"])) return (schema["examples"][0] as Json | undefined) ?? null;
  if (schema["type"] === "array") return [exampleOf(schema["items"] as Schema)];
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, Schema>>;
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [key, exampleOf(value)]),
  );
}
