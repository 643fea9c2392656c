/** JSON as unknown values by name; anything but an object is an empty one. */
export type Mapping = Readonly<Record<string, unknown>>;

/** Parsed text, or `undefined` when it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** An object, or an empty one in place of anything else. */
export function mapping(value: unknown): Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Mapping)
    : {};
}

/** Text that says something. */
export function textOf(value: unknown): string | null {
  const text = typeof value === "string" ? value.trim().slice(0, 256) : "";
  return text === "" ? null : text;
}

/** A whole number, which some versions of a tool write as text. */
export function wholeNumber(value: unknown): number | null {
  const number =
    typeof value === "string" && /^[0-9]{1,16}$/.test(value.trim()) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : null;
}

/** Yes or no, which older versions of a tool write as `1` and `0`. */
export function yesOrNo(value: unknown): boolean | null {
  if (typeof value === "boolean") return value;
  return value === "1" ? true : value === "0" ? false : null;
}
