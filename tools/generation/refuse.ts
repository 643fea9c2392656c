/** A schema as it came from its file. */
export type Schema = Readonly<Record<string, unknown>>;

/** Keywords that may not be used, and why. */
const refusedKeywords: Readonly<Record<string, string>> = {
  prefixItems: "the type generator turns it into `never[]`; use an object",
  unevaluatedProperties: "the type generator ignores it; use `additionalProperties`",
  unevaluatedItems: "the type generator ignores it; use `items`",
  format: "the validators carry no formats; use `pattern`",
};

const namedSubschemas = ["properties", "patternProperties", "$defs"];
const listedSubschemas = ["anyOf", "oneOf", "allOf"];
const valueSubschemas = ["items", "additionalProperties"];
/** Their subschemas only test a value that is described elsewhere. */
const constraints = ["propertyNames", "contains", "not", "if", "then", "else"];

/**
 * What keeps a schema from being used, one sentence each, with the JSON pointer of the place:
 * keywords that the generators get wrong, no `$id` below `https://firstlight.dev/schema/`, no
 * `title` for the type's name, a leaf (a value with no schema below it) without `description`.
 */
export function refusals(schema: Schema, options: { readonly types: boolean }): readonly string[] {
  const found: string[] = [];
  const id = schema["$id"];
  if (typeof id !== "string" || !/^https:\/\/firstlight\.dev\/schema\/.+\.json$/.test(id)) {
    found.push(
      `expected \`$id\` https://firstlight.dev/schema/<name>.json, found ${JSON.stringify(id)}`,
    );
  }
  if (options.types && typeof schema["title"] !== "string") {
    found.push("expected a `title`, which names the type");
  }
  visit(schema, { pointer: "#", owner: "undescribed" }, found);
  return found;
}

interface Place {
  /** JSON pointer. */
  readonly pointer: string;
  /** Whether what is above speaks for a leaf here, or this only tests a value of elsewhere. */
  readonly owner: "undescribed" | "described" | "constraint";
}

function visit(schema: unknown, place: Place, found: string[]): void {
  if (!isSchema(schema)) return;
  for (const [keyword, reason] of Object.entries(refusedKeywords)) {
    if (keyword in schema) found.push(`${place.pointer}: \`${keyword}\` is refused: ${reason}`);
  }
  const described = typeof schema["description"] === "string";
  if (place.owner === "undescribed" && !described && isLeaf(schema)) {
    found.push(`${place.pointer}: a leaf without \`description\``);
  }
  const owner = described && place.owner === "undescribed" ? "described" : place.owner;
  for (const child of children(schema, { ...place, owner })) {
    visit(child.schema, child.place, found);
  }
}

function isLeaf(schema: Schema): boolean {
  const below = ["properties", ...listedSubschemas, ...valueSubschemas];
  return !("$ref" in schema || below.some((keyword) => typeof schema[keyword] === "object"));
}

function* children(schema: Schema, parent: Place): Generator<{ schema: unknown; place: Place }> {
  const inner = parent.owner === "constraint" ? "constraint" : "undescribed";
  const at = (path: string, owner: Place["owner"]) => ({
    pointer: `${parent.pointer}/${path}`,
    owner,
  });
  for (const keyword of namedSubschemas) {
    for (const [name, value] of Object.entries(schema[keyword] ?? {})) {
      yield { schema: value, place: at(`${keyword}/${name}`, inner) };
    }
  }
  for (const keyword of valueSubschemas) {
    yield { schema: schema[keyword], place: at(keyword, inner) };
  }
  for (const keyword of listedSubschemas) {
    for (const [index, value] of Object.entries(schema[keyword] ?? [])) {
      yield { schema: value, place: at(`${keyword}/${index}`, parent.owner) };
    }
  }
  for (const keyword of constraints) {
    yield { schema: schema[keyword], place: at(keyword, "constraint") };
  }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
