/** Most characters of a string in an event, by its key; the schemas say the same. */
const longTexts: Readonly<Record<string, number>> = {
  message: 4096,
  hint: 4096,
  reasons: 512,
  path: 1024,
  reason: 1024,
};
const shortText = 256;
const mostItems = 64;
/** Most items of a list that is not of short texts, by its key; the schemas say the same. */
const shortLists: Readonly<Record<string, number>> = {
  items: 12,
  repaired: 12,
  unrepaired: 12,
  unseen: 12,
};

/**
 * The body of an event within the bounds of its schema: a text that is too long is cut and says by
 * how much, a list that is too long loses its end. What a machine says about hostile input or a
 * failed build must never keep the event itself from being reported.
 */
export function fitEvent<T>(body: T): T {
  return fit(body, "") as T;
}

function fit(value: unknown, key: string): unknown {
  if (typeof value === "string") return cut(value, longTexts[key] ?? shortText);
  if (Array.isArray(value))
    return value.slice(0, shortLists[key] ?? mostItems).map((item) => fit(item, key));
  if (typeof value !== "object" || value === null || "toJSON" in value) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fit(item, name)]));
}

function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const mark = `… (${text.length} characters)`;
  return text.slice(0, most - mark.length).replace(/[\ud800-\udbff]$/, "") + mark;
}
