import { prettyJson } from "#core/canonical-json.ts";
import { optionValues } from "#provisioner/nix-language/option-values.ts";
import type { Assignment } from "./assignment.ts";
import type { SourceFile } from "./sources.ts";

/** Below the sources; beside the manifest, which holds no value. */
export const valuesFile = "firstlight/values.json";

/**
 * What each option is set to, for plans to compare: what stands in the modules, parameters of templates
 * and where the node reports, and no secret.
 */
export interface Values {
  readonly v: 1;
  /** Leaf by leaf: the option as Nix writes its name, its value as Nix writes it. */
  readonly options: Readonly<Record<string, string>>;
}

/** The values as a file. */
export function renderValues(assignments: readonly Assignment[]): SourceFile {
  const options = assignments.flatMap(({ path, value }) => optionValues(path, value));
  const values: Values = { v: 1, options: Object.fromEntries(options) };
  return { path: valuesFile, content: prettyJson(values), mode: 0o644 };
}
