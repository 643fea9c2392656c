import type { Json } from "#core/canonical-json.ts";
import { shownKey } from "#core/finding.ts";
import { typeOfPlain } from "../../yaml-types.ts";
import { formsAt, formsOf, type Schema } from "./places.ts";

/** As long as an example may be that a person reads in passing. */
const maxLength = 90;
/** Mappings in it at most, one inside the other. */
const maxDepth = 4;

/** How to write the value at a path, with its key, by an example: `shell: /run/current-system/sw/bin/bash`. */
export function exampleAt(path: readonly string[]): string | undefined {
  const last = path.at(-1);
  if (last === undefined) return undefined;
  const example = exampleOf(formsAt(path), maxDepth);
  if (example === undefined) return undefined;
  const before = /^[0-9]+$/.test(last) ? "-" : `${shownKey(last)}:`;
  const text = `${before} ${inline(example, false)}`;
  return text.length > maxLength ? undefined : text;
}

/** An example that stands in one of the forms, else one that is made of those of its parts; what is deprecated is none. */
function exampleOf(forms: readonly Schema[], depth: number): Json | undefined {
  const usable = forms.filter((form) => form["deprecated"] !== true);
  const written = usable.flatMap((form) => (form["examples"] ?? []) as readonly Json[]);
  const short = written.find((each) => inline(each, false).length <= maxLength - 20);
  if (short !== undefined) return short;
  for (const form of usable) {
    const made = depth === 0 ? undefined : madeOf(form, depth - 1);
    if (made !== undefined) return made;
  }
  return undefined;
}

function madeOf(
  { type, enum: values, items, properties, required }: Schema,
  depth: number,
): Json | undefined {
  if (Array.isArray(values)) return values[0];
  if (type === "boolean") return true;
  if (type === "array") {
    const item = exampleOf(formsOf(items), depth);
    return item === undefined ? undefined : [item];
  }
  if (type !== "object" || typeof properties !== "object" || properties === null) return undefined;
  const all = Object.keys(properties);
  const keys = Array.isArray(required) ? required.map(String) : all.slice(0, 1);
  const members = keys.map((key) => [key, exampleOf(formsOf((properties as Schema)[key]), depth)]);
  if (members.length === 0 || members.some(([, value]) => value === undefined)) return undefined;
  return Object.fromEntries(members);
}

/** A value in one line of YAML. */
function inline(value: Json, inFlow: boolean): string {
  if (Array.isArray(value)) return `[${value.map((each) => inline(each, true)).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, inner]) => `${key}: ${inline(inner, true)}`);
    return inFlow || entries.length > 0 ? `{${entries.join(", ")}}` : "{}";
  }
  if (typeof value !== "string") return String(value);
  const isPlain =
    /^[A-Za-z0-9/$.](?:[^\n\t:#`"'\\]|:(?=\S))*$/.test(value) &&
    !/\s$/.test(value) &&
    !(inFlow && /[,[\]{}?:]/.test(value)) &&
    typeOfPlain(value) === "str";
  return isPlain ? value : JSON.stringify(value);
}
