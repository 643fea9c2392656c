import { Fault, isFault } from "#core/fault.ts";
import { attrs, bind, bool, float, int, list, type NixExpr, nil, str } from "./tree.ts";

/** Plain data, JSON's and integers beyond the safe ones. */
export type PlainData =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly PlainData[]
  | { readonly [key: string]: PlainData };

const maxDepth = 200;

/**
 * Data as an expression: whole numbers become integers, keys keep their order. Throws, naming the
 * place in the value: `nix/unprintable` for what Nix cannot write (NUL, lone surrogates, NaN, the
 * infinities, integers beyond 64 bits (53 as numbers: they may have lost digits), nesting deeper than
 * 200, anything but plain data), and
 * `nix/take-over-key` for a key that {@link isTakeOver} knows.
 */
export function fromJson(value: PlainData): NixExpr {
  return convert(value, []);
}

const takeOverKeys = new Set([
  "_type",
  "_module",
  "imports",
  "outPath",
  "drvPath",
  "__toString",
  "__functor",
]);

/**
 * Whether an attribute would turn data into something else for NixOS: the module system obeys
 * `_type`, `_module` and `imports` in what it takes for data, and Nix coerces or calls a set with
 * one of the others.
 */
export function isTakeOver(key: string, value?: unknown): boolean {
  return takeOverKeys.has(key) || (key === "type" && value === "derivation");
}

function convert(value: PlainData, path: readonly string[]): NixExpr {
  if (path.length > maxDepth) throw unprintable(path, `nested deeper than ${maxDepth}`);
  if (value === null) return nil;
  switch (typeof value) {
    case "boolean":
      return bool(value);
    case "string":
      return at(path, () => str(value));
    case "bigint":
      return at(path, () => int(value));
    case "number":
      return at(path, () => (Number.isInteger(value) ? int(value) : float(value)));
    case "object":
      return isArray(value)
        ? list(value.map((item, index) => convert(item, [...path, String(index)])))
        : convertObject(value, path);
    default:
      throw unprintable(path, `expected plain data, got ${typeof value}`);
  }
}

function convertObject(
  value: { readonly [key: string]: PlainData },
  path: readonly string[],
): NixExpr {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw unprintable(path, "expected plain data, got an object of a class");
  }
  const bindings = Object.entries(value).map(([key, item]) => {
    const place = [...path, key];
    if (isTakeOver(key, item)) throw takeOver(place);
    return at(place, () => bind(key, convert(item, place)));
  });
  return attrs(bindings);
}

/** `Array.isArray` does not narrow read-only arrays. */
function isArray(value: PlainData): value is readonly PlainData[] {
  return Array.isArray(value);
}

/** Runs a constructor and adds the place to its complaint. */
function at<T>(path: readonly string[], build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (!isFault(error, "nix/unprintable") || error.message.startsWith(prefix)) throw error;
    throw new Fault("nix/unprintable", `${prefix}${place(path)}: ${error.message}`);
  }
}

const prefix = "value at ";

function unprintable(path: readonly string[], reason: string): Fault {
  return new Fault("nix/unprintable", `${prefix}${place(path)}: ${reason}`);
}

function takeOver(path: readonly string[]): Fault {
  return new Fault(
    "nix/take-over-key",
    `${prefix}${place(path)}: expected data, got a key that NixOS obeys`,
  );
}

/** The place in words; long ones are cut, and what could not be shown is escaped. */
function place(path: readonly string[]): string {
  if (path.length === 0) return "the top";
  const text = path.join(".");
  const short = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return JSON.stringify(short.toWellFormed()).slice(1, -1);
}
