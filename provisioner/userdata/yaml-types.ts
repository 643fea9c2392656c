import { isDay } from "#core/calendar.ts";
import type { Json } from "#core/canonical-json.ts";
import { pythonFloat } from "./python-float.ts";

/** What the text of a scalar is read as; the part of the tag after `tag:yaml.org,2002:`. */
export type ScalarType =
  | "str"
  | "null"
  | "bool"
  | "int"
  | "float"
  | "timestamp"
  | "binary"
  | "merge"
  | "value";

/** A scalar as JSON has it, and as a key of a mapping. */
export interface ScalarValue {
  readonly json: Json;
  /** As a JSON key: what Python's `json.dumps` makes of it. */
  readonly key: string;
  /** Equal for keys that are one key to Python (`1`, `1.0` and `true`; never `1` and `"1"`). */
  readonly identity: string;
  /** What JSON has no type for and is therefore given as text. */
  readonly asText:
    | "a date"
    | "a time"
    | "bytes"
    | "a number that is not finite"
    | "a large number"
    | null;
  /** Of a binary value. */
  readonly bytes?: Uint8Array;
  /** Of a float: what Python's `str` makes of it. */
  readonly floatText?: string;
}

const digits = "[0-9][0-9_]*";
const minutes = "(?::[0-5]?[0-9])+";
const fraction = "\\.[0-9_]*";
const exponent = "(?:[eE][-+][0-9]+)?";

const boolForm = /^(?:[yY]es|YES|[nN]o|NO|[tT]rue|TRUE|[fF]alse|FALSE|[oO](?:n|ff)|ON|OFF)$/;
const nullForm = /^(?:~|[nN]ull|NULL|)$/;
const floatForm = new RegExp(
  `^(?:[-+]?${digits}(?:${fraction}${exponent}|${minutes}${fraction})` +
    `|\\.${digits}${exponent}|[-+]?\\.(?:inf|Inf|INF)|\\.(?:nan|NaN|NAN))$`,
);
const intForm = new RegExp(
  `^[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*(?:${minutes})?)$`,
);
const dateForm = /^\d{4}-\d{2}-\d{2}$/;
const timeForm =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt]|[ \t]+)(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d*))?(?:[ \t]*(?:Z|([-+])(\d{1,2})(?::(\d{2}))?))?)?$/;
const mayBeTyped = /^(?:[-+.0-9~<=nNyYtTfFoO]|$)/;

/**
 * What PyYAML's resolver takes a plain scalar for: YAML 1.1 types (https://yaml.org/type/) in the
 * spellings PyYAML knows, so `0644` is an int and `0o644`, `1e3`, `y` and `n` are text.
 */
export function typeOfPlain(text: string): ScalarType {
  if (!mayBeTyped.test(text)) return "str";
  if (boolForm.test(text)) return "bool";
  if (floatForm.test(text)) return "float";
  if (intForm.test(text)) return "int";
  if (nullForm.test(text)) return "null";
  if (dateForm.test(text) || (text.includes(":") && timeForm.test(text))) return "timestamp";
  if (text === "<<") return "merge";
  return text === "=" ? "value" : "str";
}

/**
 * Reads text as one type, with the leniency that PyYAML's constructors have for explicit tags.
 * `undefined` where the text is none; `merge` and `value` are types of keys and have no value.
 */
export function readScalar(type: ScalarType, text: string): ScalarValue | undefined {
  switch (type) {
    case "str":
      return { json: text, key: text, identity: `s${text}`, asText: null };
    case "null":
      return { json: null, key: "null", identity: "z", asText: null };
    case "bool":
      return readBool(text);
    case "int":
      return readInt(text);
    case "float":
      return readFloat(text);
    case "timestamp":
      return readTimestamp(text);
    case "binary":
      return readBinary(text);
    case "merge":
    case "value":
      return undefined;
  }
}

function readBool(text: string): ScalarValue | undefined {
  if (!/^(?:yes|no|true|false|on|off)$/i.test(text)) return undefined;
  const json = /^(?:yes|true|on)$/i.test(text);
  return { json, key: String(json), identity: json ? "n1" : "n0", asText: null };
}

/** As many digits as Python reads or prints of an int (`sys.set_int_max_str_digits`). */
const maxDigits = 4300;

function readInt(written: string): ScalarValue | undefined {
  const text = written.replaceAll("_", "");
  const negative = text.startsWith("-");
  const amount = readAmount(/^[-+]/.test(text) ? text.slice(1) : text);
  if (amount === undefined) return undefined;
  const value = negative ? -amount : amount;
  const decimal = value.toString();
  const number = Number(value);
  const safe = Number.isSafeInteger(number);
  return {
    json: safe ? number : decimal,
    key: decimal,
    identity: `n${decimal}`,
    asText: safe ? null : "a large number",
  };
}

function readAmount(text: string): bigint | undefined {
  if (text.length > maxDigits) return undefined;
  if (text.startsWith("0b")) return readDigits(text.slice(2), "0b", /^[01]+$/);
  if (text.startsWith("0x")) return readDigits(text.slice(2), "0x", /^[0-9a-f]+$/);
  if (/^0./s.test(text)) return readDigits(text, "0o", /^[0-7]+$/);
  if (!text.includes(":")) return readDigits(text, "", /^[0-9]+$/);
  let amount = 0n;
  for (const part of text.split(":")) {
    const digit = readDigits(part, "", /^[0-9]+$/);
    if (digit === undefined) return undefined;
    amount = amount * 60n + digit;
  }
  return amount;
}

/** Python's `int(text, base)`: white space around, one more sign and the prefix again are allowed. */
function readDigits(
  text: string,
  prefix: "" | "0b" | "0o" | "0x",
  form: RegExp,
): bigint | undefined {
  const trimmed = text.trim().toLowerCase();
  const unsigned = /^[-+]/.test(trimmed) ? trimmed.slice(1) : trimmed;
  const bare = unsigned.startsWith(prefix) ? unsigned.slice(prefix.length) : unsigned;
  if (!form.test(bare)) return undefined;
  const amount = BigInt(prefix + bare);
  return trimmed.startsWith("-") ? -amount : amount;
}

function readFloat(written: string): ScalarValue | undefined {
  const text = written.replaceAll("_", "").toLowerCase();
  const negative = text.startsWith("-");
  const amount = readFloatAmount(/^[-+]/.test(text) ? text.slice(1) : text);
  if (amount === undefined) return undefined;
  const json = negative ? -amount : amount;
  if (!Number.isFinite(json)) {
    const name = String(json); // Infinity, -Infinity, NaN: as Python's json prints them
    return {
      json: name,
      key: name,
      identity: `n${name}`,
      asText: "a number that is not finite",
      floatText: pythonFloat(json),
    };
  }
  const identity = Number.isInteger(json) ? BigInt(json).toString() : String(json);
  const floatText = pythonFloat(json);
  return { json, key: floatText, identity: `n${identity}`, asText: null, floatText };
}

function readFloatAmount(text: string): number | undefined {
  if (text === ".inf") return Number.POSITIVE_INFINITY;
  if (text === ".nan") return Number.NaN;
  if (!text.includes(":")) return readPythonFloat(text);
  let base = 1n;
  let amount = 0;
  for (const part of text.split(":").reverse()) {
    const digit = readPythonFloat(part);
    const factor = Number(base);
    if (digit === undefined || !Number.isFinite(factor)) return undefined;
    amount += digit * factor;
    base *= 60n;
  }
  return amount;
}

/** Python's `float(text)`. */
function readPythonFloat(text: string): number | undefined {
  const trimmed = text.trim();
  const word = /^([-+]?)(inf|infinity|nan)$/.exec(trimmed);
  if (word !== null) {
    const amount = word[2] === "nan" ? Number.NaN : Number.POSITIVE_INFINITY;
    return word[1] === "-" ? -amount : amount;
  }
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** A date or time as Python prints it: `2026-01-02`, `2026-01-02 03:04:05.600000+01:00`. */
function readTimestamp(text: string): ScalarValue | undefined {
  const match = timeForm.exec(text);
  if (match === null) return undefined;
  const [, year = "", month = "", day = "", hour, minute = "", second = ""] = match;
  const date = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  if (!isDay(Number(year), Number(month), Number(day))) return undefined;
  if (hour === undefined) return textOf(date, "a date");
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const zone = readZone(text, match[8], match[9], match[10]);
  if (zone === undefined) return undefined;
  const micro = (match[7] ?? "").slice(0, 6).padEnd(6, "0");
  const part = micro === "000000" ? "" : `.${micro}`;
  return textOf(`${date} ${hour.padStart(2, "0")}:${minute}:${second}${part}${zone}`, "a time");
}

function readZone(text: string, sign?: string, hours?: string, minutes = "0"): string | undefined {
  if (sign === undefined) return text.endsWith("Z") ? "+00:00" : "";
  const total = Number(hours) * 60 + Number(minutes);
  if (total >= 24 * 60) return undefined;
  const [hour, minute] = [Math.floor(total / 60), total % 60].map((part) =>
    String(part).padStart(2, "0"),
  );
  return `${total === 0 ? "+" : sign}${hour}:${minute}`;
}

function textOf(text: string, asText: "a date" | "a time"): ScalarValue {
  return { json: text, key: text, identity: `d${text}`, asText };
}

/** Bytes that are UTF-8 are given as that text, others as base64. */
function readBinary(text: string): ScalarValue | undefined {
  const written = readBase64(text);
  if (written === undefined) return undefined;
  const bytes = new Uint8Array(Buffer.from(written, "base64"));
  const base64 = Buffer.from(bytes).toString("base64");
  const json = decodeUtf8(bytes) ?? base64;
  return { json, key: json, identity: `b${base64}`, asText: "bytes", bytes };
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The base64 in a text, everything else passed over as Python's `base64.decodebytes` does. */
function readBase64(text: string): string | undefined {
  if (/[^\0-\x7f]/.test(text)) return undefined;
  let data = "";
  let padding = 0;
  for (const character of text) {
    const filled = data.length % 4;
    if (character === "=") {
      if (filled >= 2) padding += 1;
      if (filled >= 2 && filled + padding >= 4) return data.padEnd(data.length + 4 - filled, "=");
    } else if (/[A-Za-z0-9+/]/.test(character)) {
      padding = 0;
      data += character;
    }
  }
  return data.length % 4 === 0 ? data : undefined;
}
