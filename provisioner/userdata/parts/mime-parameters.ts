import { latin1Bytes } from "./latin1.ts";

/** Parameters of a field, by name, as Python's `email` reads them. */
export interface MimeParameters {
  /** The first one of a name, in any case, without its quotes. */
  text(name: string): string | undefined;
}

interface Parameter {
  readonly name: string;
  readonly value: string;
  /** What RFC 2231 says that `value`, one character a byte, is in. */
  readonly charset?: string;
}

/** A piece of a value that is given in pieces (RFC 2231, 3). */
interface Piece {
  readonly number: number;
  readonly value: string;
  readonly isEncoded: boolean;
}

/** Reads `value; name=value; …`: what stands before the first `;` counts as one, too. */
export function readParameters(field: string): MimeParameters {
  const [first, ...others] = splitParameters(field).map(nameAndValue);
  const whole: Parameter[] = first === undefined ? [] : [{ ...first, value: unquote(first.value) }];
  const inPieces = new Map<string, Piece[]>();
  for (const { name, value } of others) {
    const [, base, number] = /^(\w+)\*(?:(\d+)\*?)?$/.exec(name) ?? [];
    if (base === undefined) {
      whole.push({ name, value: unquote(value) });
      continue;
    }
    const piece = {
      number: number === undefined ? -1 : Number(number),
      value: unquote(value),
      isEncoded: name.endsWith("*"),
    };
    const known = inPieces.get(base);
    if (known === undefined) inPieces.set(base, [piece]);
    else known.push(piece);
  }
  const joined = [...inPieces].map(([name, pieces]) => join(name, pieces));
  const all = [...whole, ...joined];
  return {
    text(name) {
      const wanted = name.toLowerCase();
      const found = all.find((each) => each.name.toLowerCase() === wanted);
      return found === undefined ? undefined : decode(found);
    },
  };
}

/** Splits at each `;` that is outside quotes. */
function splitParameters(field: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < field.length; at++) {
    const char = field[at];
    if (char === '"' && (at === start || field[at - 1] !== "\\")) isQuoted = !isQuoted;
    // a `;` with nothing before it ends an empty parameter, whatever the quotes are
    if (char === ";" && (!isQuoted || at === start)) {
      parts.push(field.slice(start, at));
      start = at + 1;
      isQuoted = false;
    }
  }
  return [...parts, field.slice(start)];
}

function nameAndValue(parameter: string): Parameter {
  const at = parameter.indexOf("=");
  if (at === -1) return { name: parameter.trim(), value: "" };
  return {
    name: parameter.slice(0, at).trim().toLowerCase(),
    value: parameter.slice(at + 1).trim(),
  };
}

function join(name: string, pieces: readonly Piece[]): Parameter {
  const value = [...pieces]
    .sort((a, b) => a.number - b.number)
    .map((piece) => (piece.isEncoded ? percentDecoded(piece.value) : piece.value))
    .join("");
  if (!pieces.some(({ isEncoded }) => isEncoded)) return { name, value };
  const [, charset, text] = /^([^']*)'[^']*'(.*)$/s.exec(value) ?? [];
  return { name, value: text ?? value, charset: charset ?? "us-ascii" };
}

function percentDecoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Without quotes that remain, and in the charset of RFC 2231. */
function decode({ value, charset }: Parameter): string {
  if (charset === undefined) return unquote(value);
  const bytes = latin1Bytes(value.replace(/[^\0-\xff]/g, escaped));
  return decoded(bytes, charset.toLowerCase()) ?? unquote(value);
}

/** Python's `raw-unicode-escape`. */
function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function decoded(bytes: Uint8Array, charset: string): string | undefined {
  const latin1 = Buffer.from(bytes).toString("latin1");
  if (charset === "us-ascii" || charset === "ascii")
    return latin1.replace(/[\x80-\xff]/g, "\ufffd");
  if (/^(?:iso-?8859-1|latin-?1)$/.test(charset)) return latin1;
  try {
    return new TextDecoder(charset, { ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // no such charset
  }
}

/** Without quotes or angle brackets around it. */
function unquote(text: string): string {
  if (text.length < 2) return text;
  if (text.startsWith('"') && text.endsWith('"')) {
    return text.slice(1, -1).replaceAll("\\\\", "\\").replaceAll('\\"', '"');
  }
  return text.startsWith("<") && text.endsWith(">") ? text.slice(1, -1) : text;
}
