/** Keywords for people alone. */
const words: ReadonlySet<string> = new Set(["title", "description", "examples", "$comment"]);
/** Keywords whose value is a table of schemas, by names that mean nothing themselves. */
const tables: ReadonlySet<string> = new Set(["properties", "patternProperties", "$defs"]);
/** Keywords whose value is data. */
const data: ReadonlySet<string> = new Set(["const", "enum", "default", "required"]);

/**
 * A schema without what only people read: it accepts the same values. Validators carry their schemas
 * along, and are loaded by every boot.
 */
export function withoutWords(schema: object): object {
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([keyword]) => !words.has(keyword))
      .map(([keyword, value]) => [keyword, withoutWordsIn(keyword, value)]),
  );
}

function withoutWordsIn(keyword: string, value: unknown): unknown {
  if (data.has(keyword) || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((each) => withoutWordsIn("", each));
  if (!tables.has(keyword)) return withoutWords(value);
  const named = Object.entries(value);
  return Object.fromEntries(named.map(([name, each]) => [name, withoutWordsIn("", each)]));
}
