import { type Finding, shownKey } from "#core/finding.ts";
import { type Item, mappingValue } from "../yaml-values.ts";
import {
  type Merger,
  type ReadMergers,
  readMergerText,
  readMergerValue,
  type UnknownOption,
} from "./mergers.ts";
import type { TextRow } from "./text-row.ts";

/** A part without the key that says how to merge it, and what that key and its header say. */
export interface TakenMergers {
  readonly rest: Item;
  readonly mergers: readonly Merger[];
  readonly findings: readonly Finding[];
  /** How many leaves the key had. */
  readonly taken: number;
  /** Where it says so; absent where only a header does, or nothing. */
  readonly at: number | undefined;
}

/**
 * Takes `merge_how`, or `merge_type` where there is no such key or nothing in it, out of a mapping. What
 * the header says comes after it. Throws {@link MergeProblem} for mergers that there are not.
 */
export function takeMergers(
  config: Item,
  { row, mergeType }: { readonly row: TextRow; readonly mergeType?: string | null | undefined },
): TakenMergers {
  const members = new Map(config.value.members);
  const keys = [members.get("merge_how"), members.get("merge_type")];
  const how = members.get("merge_how");
  members.delete("merge_how");
  const isSaid = how !== undefined && how.value.scalar?.json !== null;
  const said = isSaid ? how : members.get("merge_type");
  if (!isSaid) members.delete("merge_type");
  const isEmpty = said === undefined || said.value.scalar?.json === null;
  const inside: ReadMergers = isEmpty ? { mergers: [], unknown: [] } : readMergerValue(said);
  const header = readMergerText(mergeType ?? "");
  const findings = [
    ...inside.unknown.map((each) => ({
      path: isSaid ? "merge_how" : "merge_type",
      ...row.place(said?.at ?? config.at),
      ...nameUnknown(each),
    })),
    ...header.unknown.map((each) => ({ path: "", ...row.place(config.at), ...nameUnknown(each) })),
  ];
  const gone = keys.filter((key) => key !== undefined && members.get(key.name) !== key);
  return {
    rest: gone.length === 0 ? config : { at: config.at, value: mappingValue(members) },
    mergers: [...inside.mergers, ...header.mergers],
    findings,
    taken: gone.reduce((sum, key) => sum + (key === undefined ? 0 : leavesOf(key)), 0),
    at: said?.at,
  };
}

function nameUnknown({
  type,
  option,
  near,
}: UnknownOption): Pick<Finding, "level" | "code" | "message" | "hint"> {
  const message = `\`${type}\` has no option \`${shownKey(option)}\`; it means nothing`;
  const hint = near === undefined ? "take it out" : `did you mean \`${near}\`?`;
  return { level: "warning", code: "merge/unknown-option", message, hint };
}

function leavesOf({ value }: Item): number {
  const inner = [...(value.members?.values() ?? value.items ?? [])];
  if (inner.length === 0) return 1;
  return inner.reduce((sum, item) => sum + leavesOf(item), 0);
}
