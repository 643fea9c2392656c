/** Where bytes stop being UTF-8. */
export interface Utf8Fault {
  readonly text?: undefined;
  /** Of the first byte that is wrong, or of the end where the last character is cut; from 1. */
  readonly line: number;
  readonly column: number;
  /** What stands there: `the byte 0xE9`. */
  readonly found: string;
}

/** Bytes as text, or where they stop being UTF-8. */
export type Utf8Text = { readonly text: string } | Utf8Fault;

/** The text of bytes. A byte order mark at the beginning is left out. */
export function readUtf8(bytes: Uint8Array): Utf8Text {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return firstFault(bytes);
  }
}

/** By bisection: whatever begins with a beginning that is no UTF-8 is none either. */
function firstFault(bytes: Uint8Array): Utf8Text {
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (wholeCharacters(bytes, middle) === undefined) bad = middle;
    else good = middle;
  }
  const before = wholeCharacters(bytes, good) ?? "";
  const lines = before.replace(/^\ufeff/, "").split(/\r\n?|\n/);
  const place = { line: lines.length, column: [...(lines.at(-1) ?? "")].length + 1 };
  if (good === bytes.length) return { ...place, found: "a character that is cut off at the end" };
  const byte = bytes[Buffer.byteLength(before)] ?? 0;
  return { ...place, found: `the byte 0x${byte.toString(16).toUpperCase().padStart(2, "0")}` };
}

/** The first bytes as text, without a character that they only begin; `undefined` where they are none. */
function wholeCharacters(bytes: Uint8Array, length: number): string | undefined {
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return decoder.decode(bytes.subarray(0, length), { stream: true });
  } catch {
    return undefined;
  }
}
