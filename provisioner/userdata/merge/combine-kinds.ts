import type { Finding } from "#core/finding.ts";
import { type Item, mappingValue } from "../yaml-values.ts";
import type { PartsOptions } from "./merge-parts.ts";
import { MergeProblem } from "./merge-problem.ts";
import { mergeValues } from "./merge-values.ts";
import { kindMergers } from "./mergers.ts";
import { takeMergers } from "./take-mergers.ts";

/** The config of all documents together. */
export interface CombinedKinds {
  readonly item: Item | undefined;
  readonly findings: readonly Finding[];
}

/**
 * Puts the configs of user-data, vendor-data2 and vendor-data together, that which counts most first, as
 * cloud-init's `mergemanydict` does: what a later one adds below a mapping is added, what is there
 * stays, lists and texts too. One that still says how to merge (a part had both keys for it, or a patch
 * wrote one) is merged so.
 */
export function combineKinds(
  configs: readonly Item[],
  { row, limits }: PartsOptions,
): CombinedKinds {
  const findings: Finding[] = [];
  const [first] = configs;
  if (first === undefined) return { item: undefined, findings };
  let item: Item = { at: first.at, value: mappingValue(new Map()) };
  for (const config of configs) {
    if (config.value.members?.size === 0) continue;
    try {
      const { rest, mergers, findings: said } = takeMergers(config, { row });
      findings.push(...said);
      const chosen = mergers.length === 0 ? kindMergers : mergers;
      item = mergeValues(item, rest, { mergers: chosen, limits });
    } catch (error) {
      if (!(error instanceof MergeProblem)) throw error;
      const { at = config.at, code, message, hint } = error;
      findings.push({ path: "", ...row.place(at), level: "error", code, message, hint });
    }
  }
  return { item, findings };
}
