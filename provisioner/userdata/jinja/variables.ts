import type { Json } from "#core/canonical-json.ts";

/** Variables of a template. */
export type Variables = { readonly [name: string]: Json };

/**
 * Instance data as templates see it: keys of `v1` stand at the top as well, and a key with a character
 * that is an operator (`availability-zone`, `v1.0`) has a second name with `_` there, as cloud-init has it.
 */
export function templateVariables(data: Variables): Variables {
  const found = new Map<string, Json>();
  for (const key of Object.keys(data).sort()) {
    const value = data[key] ?? null;
    const inside = isVariables(value) ? templateVariables(value) : value;
    found.set(key, inside);
    if (/^v\d+$/.test(key) && isVariables(inside))
      for (const [name, each] of Object.entries(inside)) found.set(name, each);
    const alias = key.replace(operators, "_");
    if (alias !== key) found.set(alias, inside);
  }
  return Object.fromEntries(found);
}

/** What jinja2 reads as an operator (its lexer's `operator_re`). */
const operators = /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}><=.:|,;]/g;

function isVariables(value: Json): value is Variables {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
