/** Line ends, as Python's `str.splitlines` knows them. */
const lineEnd = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/;

/** An address in a list of them. */
export interface IncludeLine {
  readonly address: string;
  /** Whether it is read once per instance. */
  readonly isOnce: boolean;
  /** Line of the list, from 1. */
  readonly line: number;
}

/**
 * The addresses of a document that begins with `#include` or `#include-once`, one a line, the first one
 * also behind that word; each of these words holds for the lines after it, and other comments count for
 * nothing. `isOnce` is what holds before the first of them.
 */
export function readIncludeLines(text: string, isOnce = false): readonly IncludeLine[] {
  const found: IncludeLine[] = [];
  let once = isOnce;
  for (const [index, whole] of text.split(lineEnd).entries()) {
    const [, word, behind] = /^(#include(?:-once)?)(.*)$/i.exec(whole) ?? [];
    if (word !== undefined) once = word.length > "#include".length;
    const rest = behind?.trimStart() ?? whole;
    const address = rest.trim();
    if (rest.startsWith("#") || address === "") continue;
    found.push({ address, isOnce: once, line: index + 1 });
  }
  return found;
}

/** An address as it may be shown: what follows `?`, and a name and password, may be a secret. */
export function shownAddress(address: string): string {
  const url = URL.parse(address);
  if (url === null) return "an address";
  if (url.protocol === "data:") return "data:";
  return `${url.protocol}//${url.host}${url.pathname}${url.search === "" ? "" : "?…"}`;
}
