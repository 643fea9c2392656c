import { flat } from "./flat.ts";
import { print } from "./print.ts";
import { attrPath } from "./text.ts";
import type { Binding, NixExpr } from "./tree.ts";

/** One option, or an attribute inside an option's value, as Nix writes both. */
export type OptionValue = readonly [name: string, value: string];

/**
 * The leaves of what an option is set to, each with its value as Nix writes it: on one line where
 * the style allows it, else on several without a final newline. Attribute sets are opened as long as
 * they only bind names; anything else is one value.
 */
export function optionValues(path: readonly string[], value: NixExpr): readonly OptionValue[] {
  const bindings = bindingsOf(value);
  if (bindings === undefined) return [[attrPath(path), textOf(value)]];
  return bindings.flatMap((binding) => optionValues([...path, ...binding.path], binding.value));
}

/** `undefined` of what is no set, an empty one, and one that inherits. */
function bindingsOf(value: NixExpr): readonly Binding[] | undefined {
  if (value.kind !== "attrs") return undefined;
  const bindings = value.entries.filter((entry) => entry.kind === "binding");
  const inherits = value.entries.some((entry) => entry.kind === "inherit");
  return bindings.length === 0 || inherits ? undefined : bindings;
}

function textOf(value: NixExpr): string {
  return flat(value) ?? print(value).trimEnd();
}
