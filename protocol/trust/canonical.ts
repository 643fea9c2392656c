import { Fault } from "#core/fault.ts";

/**
 * The bytes that are signed: canonical JSON as OLPC wrote it and TUF uses it. Keys sorted, no white
 * space, in texts only `"` and `\` escaped, whole numbers only. It is not the encoding of
 * `core/canonical-json`, which escapes control characters: a P-256 key is a text with newlines.
 * Throws `trust/malformed` on what it cannot hold.
 * Source: http://wiki.laptop.org/go/Canonical_JSON; TUF 1.0, section 4.2.1.
 */
export function canonicalBytes(value: unknown): Buffer {
  return Buffer.from(encode(value), "utf8");
}

function encode(value: unknown): string {
  if (typeof value === "string") return text(value);
  if (typeof value === "number") return number(value);
  if (typeof value === "boolean" || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(encode).join(",")}]`;
  if (typeof value !== "object") throw refused(`a ${typeof value}`);
  const members = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${text(key)}:${encode(item)}`);
  return `{${members.join(",")}}`;
}

/** A lone surrogate has no UTF-8 of its own: two texts would have the same bytes. */
function text(value: string): string {
  if (!value.isWellFormed()) throw refused("a text that is no Unicode");
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function number(value: number): string {
  if (!Number.isSafeInteger(value)) throw refused(`the number ${value}`);
  return String(value);
}

function refused(what: string): Fault {
  return new Fault("trust/malformed", `signed metadata cannot hold ${what}`);
}
