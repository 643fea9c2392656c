import { fromJson, type PlainData } from "#provisioner/nix-language/from-json.ts";
import type { OptionValues } from "#provisioner/profiles/profile.ts";
import { type Assignment, assign } from "../assignment.ts";
import { splitOptionName } from "../option-name.ts";
import { fallback } from "../platform-options.ts";

/** Options of a profile as defaults, so that the owner's own values win. Profiles are linted: their names are right. */
export function optionAssignments(options: OptionValues): readonly Assignment[] {
  return Object.entries(options).map(([name, value]) => {
    const expr = fromJson(value as PlainData);
    return assign(splitOptionName(name) ?? [name], Array.isArray(value) ? expr : fallback(expr));
  });
}
