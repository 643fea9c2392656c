import { shownKey } from "#core/finding.ts";
import { oneOf } from "#core/one-of.ts";

/** Kinds of values that everybody has a word for: how they are written goes without saying which one it is. */
export type PlainKind = "text" | "true or false" | `a list${string}` | `a mapping${string}`;

/** How to write a value of a kind at a path of a document, with an example. */
export function howToWrite(kind: PlainKind, path: readonly (string | number)[]): string {
  const last = path.at(-1);
  const before = last === undefined ? "" : typeof last === "number" ? "- " : `${shownKey(last)}: `;
  if (kind === "true or false")
    return `write \`${before}true\` or \`${before}false\`, without quotes`;
  if (kind === "text") {
    return `write one text, as \`${before}some words\`, in quotes where YAML may read it as something else`;
  }
  if (kind.startsWith("a list")) {
    return "write it in brackets, as `[a, b]`, or one line each after `- `";
  }
  const keys = [...kind.matchAll(/`(\w+)`/g)].map(([, key = ""]) => key);
  const [key = "name"] = keys;
  const which =
    keys.length === 0
      ? "its keys"
      : /`,|` or /.test(kind)
        ? oneOf(keys.map(quoted))
        : keys.map(quoted).join(" and ");
  if (keys.length === 1) return `write \`${key}: …\` below it, indented further`;
  return `write ${which} below it, each on a line of its own and indented further, as \`${key}: …\``;
}

function quoted(key: string): string {
  return `\`${key}\``;
}
