const words: Readonly<Record<string, string>> = {
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  null: "empty",
};

/** A `type` of JSON Schema, as it would be said. */
export function kindInWords(type: string): string {
  return words[type] ?? type;
}
