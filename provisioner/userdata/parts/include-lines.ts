import { shownPiece } from "#core/shown-path.ts";

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

/**
 * An address as it may be shown, by its origin and the end of its path: what stands between, an end that looks like a token, what follows `?`, and a
 * name and password, may be a secret.
 */
export function shownAddress(address: string): string {
  const url = URL.parse(address);
  if (url === null) return "an address";
  if (url.protocol === "data:") return "data:";
  const [, ...names] = url.pathname.split("/");
  const path = `${names.length > 1 ? "…/" : ""}${shownPiece(names.at(-1) ?? "")}`;
  return `${url.protocol}//${url.host}/${path}${url.search === "" ? "" : "?…"}`;
}

/** Gives documents behind addresses names as they may be shown, each its own: the second of one name is `… (2)`. */
export class AddressNames {
  readonly #addresses = new Map<string, string[]>();

  of(address: string): string {
    const shown = shownAddress(address);
    const known = this.#addresses.get(shown) ?? [];
    if (!known.includes(address)) known.push(address);
    this.#addresses.set(shown, known);
    const number = known.indexOf(address) + 1;
    return number === 1 ? shown : `${shown} (${number})`;
  }
}
