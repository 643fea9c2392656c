import { latin1Bytes } from "./latin1.ts";

/** Undoes uuencode as Python's `email` does; `undefined` where the text is none, or is cut. */
export function uudecode(text: string): Uint8Array | undefined {
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.at(-1) === "") lines.pop();
  const first = lines.findIndex((line) => /^begin [ \t]*(?:0o?)?[0-7]+[ \t]*(?: |$)/i.test(line));
  if (first === -1) return undefined;
  const decoded: Uint8Array[] = [];
  for (const line of lines.slice(first + 1)) {
    if (line === "") return undefined;
    if (/^[ \t\r\n\f]*end[ \t\r\n\f]*$/.test(line)) return Buffer.concat(decoded);
    const bytes = decodeLine(line) ?? decodeLine(line.slice(0, charactersOf(line)));
    if (bytes === undefined) return undefined;
    decoded.push(bytes);
  }
  return Buffer.concat(decoded);
}

/** Characters of a line by the count of bytes that it begins with; some programs write more. */
function charactersOf(line: string): number {
  return Math.floor((lengthOf(line) * 4 + 5) / 3);
}

function lengthOf(line: string): number {
  return (line.charCodeAt(0) - 32) & 63;
}

/** `undefined` where a character is none of the encoding, or more than padding follows the bytes. */
function decodeLine(line: string): Uint8Array | undefined {
  const length = lengthOf(line);
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  let at = 1;
  for (; bytes.length < length; at++) {
    const value = at < line.length ? line.charCodeAt(at) - 32 : 0;
    if (value < 0 || value > 64) return undefined;
    held = ((held << 6) | (value & 63)) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
  }
  const isPadding = /^[ `\r\n]*$/.test(line.slice(at));
  return isPadding ? latin1Bytes(String.fromCharCode(...bytes)) : undefined;
}
