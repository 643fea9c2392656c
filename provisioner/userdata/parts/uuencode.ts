import { maxBytes } from "../user-data-format.ts";

/** Bytes that one line may stand for, also where it is shorter than that. */
const maxLineBytes = 63;

/** Undoes uuencode as Python's `email` does; `undefined` where the text is none, or is cut. */
export function uudecode(text: string): Uint8Array | undefined {
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.at(-1) === "") lines.pop();
  const first = lines.findIndex((line) => /^begin [ \t]*(?:0o?)?[0-7]+[ \t]*(?: |$)/i.test(line));
  if (first === -1) return undefined;
  const target = Buffer.alloc(Math.min(lines.length * maxLineBytes, maxBytes));
  let length = 0;
  for (const line of lines.slice(first + 1)) {
    if (line === "") return undefined;
    if (line.length < 100 && line.trim() === "end") break;
    const end =
      decodeLine(line, target, length) ??
      decodeLine(line.slice(0, charactersOf(line)), target, length);
    if (end === undefined) return undefined;
    length = end;
  }
  return target.subarray(0, length);
}

/** Characters of a line by the count of bytes that it begins with; some programs write more. */
function charactersOf(line: string): number {
  return Math.floor((lengthOf(line) * 4 + 5) / 3);
}

function lengthOf(line: string): number {
  return (line.charCodeAt(0) - 32) & 63;
}

/**
 * Where the bytes of a line end that were put into `target`; `undefined` where a character is none of
 * the encoding, or more than padding follows them.
 */
function decodeLine(line: string, target: Buffer, start: number): number | undefined {
  const end = start + lengthOf(line);
  if (end > target.length) return undefined;
  let to = start;
  let bits = 0;
  let held = 0;
  let at = 1;
  for (; to < end; at++) {
    const value = at < line.length ? line.charCodeAt(at) - 32 : 0;
    if (value < 0 || value > 64) return undefined;
    held = ((held << 6) | (value & 63)) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    target[to] = (held >> bits) & 0xff;
    to += 1;
  }
  return at >= line.length || /^[ `\r\n]*$/.test(line.slice(at)) ? end : undefined;
}
