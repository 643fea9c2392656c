import { shownKey } from "#core/finding.ts";
import { nearest } from "#core/nearest.ts";
import type { BuiltValue, Item } from "../yaml-values.ts";
import { MergeProblem } from "./merge-problem.ts";

/** Which values a merger merges others into. */
export type MergerType = "dict" | "list" | "str";

/** One merger with its options, of which only those in {@link mergerOptions} mean something. */
export interface Merger {
  readonly type: MergerType;
  readonly options: ReadonlySet<string>;
}

/** What mergers were written, and what was said of them that means nothing. */
export interface ReadMergers {
  readonly mergers: readonly Merger[];
  readonly unknown: readonly UnknownOption[];
}

/** An option that its merger does not have. */
export interface UnknownOption {
  readonly type: MergerType;
  readonly option: string;
  readonly near: string | undefined;
}

const recursions = ["recurse_str", "recurse_array", "recurse_list", "recurse_dict"];

/** The options of each merger. */
export const mergerOptions: Readonly<Record<MergerType, readonly string[]>> = {
  dict: ["replace", "no_replace", "allow_delete", ...recursions],
  list: ["append", "prepend", "replace", "no_replace", ...recursions],
  str: ["append"],
};

/** How a part is merged that does not say so, `dict(replace)+list()+str()`: later keys replace earlier ones, as in one document. */
export const partMergers: readonly Merger[] = [
  { type: "dict", options: new Set(["replace"]) },
  { type: "list", options: new Set() },
  { type: "str", options: new Set() },
];

/** How vendor-data is put below user-data, `list()+dict()+str()`: mappings are merged, what is there already stays. */
export const kindMergers: readonly Merger[] = [
  { type: "list", options: new Set() },
  { type: "dict", options: new Set() },
  { type: "str", options: new Set() },
];

/** Options of one merger that are named at most. */
const mostUnknown = 10;

const hint = "write it as `dict(recurse_array)+list(append)+str()`";

/**
 * Mergers written as one text: `dict(replace)+list(append)+str()`, in any case, `-` for `_`. Throws
 * {@link MergeProblem} for what is not of this form, or names another merger.
 */
export function readMergerText(text: string, at?: number): ReadMergers {
  return readText(text, at);
}

/**
 * The value of `merge_how` or `merge_type`: one text, a list of `{name, settings}`, or a list of lists
 * of a name with its options. Throws {@link MergeProblem} for anything else.
 */
export function readMergerValue({ value, at }: Item): ReadMergers {
  const { json } = value;
  if (isText(value)) return readText(String(json), at);
  if (value.members?.size === 0) return { mergers: [], unknown: [] };
  if (value.items === null)
    throw new MergeProblem("merge/invalid-mergers", "expected how parts are merged", { at, hint });
  return collect(value.items.flatMap((item) => readOne(item)));
}

/** Whether Python has a text for it: dates, bytes and large numbers are none there. */
export function isText({ scalar }: BuiltValue): boolean {
  return typeof scalar?.json === "string" && scalar.asText === null;
}

interface NamedMerger {
  readonly name: string;
  readonly has: (option: string) => boolean;
  readonly written: readonly string[];
  readonly at: number | undefined;
}

function readText(text: string, at?: number): ReadMergers {
  const names = text.split("+").map((one) => one.toLowerCase().trim().replaceAll("-", "_"));
  return collect(
    names
      .filter((one) => one !== "")
      .map((one): NamedMerger => {
        const [, name, inner = ""] = /^([a-z_][a-z0-9_]*)\((.*)\)$/.exec(one) ?? [];
        if (name === undefined) {
          const message = `\`${shownKey(one)}\` names no merger with its options`;
          throw new MergeProblem("merge/invalid-mergers", message, { at, hint });
        }
        const written = inner.split(",").map((option) => option.trim());
        return { name, has: (option) => written.includes(option), written, at };
      }),
  );
}

/** One entry of a list; none where it has an empty name. */
function readOne({ value, at }: Item): readonly NamedMerger[] {
  const refuse = (message: string) =>
    new MergeProblem("merge/invalid-mergers", message, {
      at,
      hint: "write each as `{name: list, settings: [append]}`",
    });
  if (value.members !== null) {
    const name = value.members.get("name")?.value;
    const settings = value.members.get("settings");
    if (name === undefined || !isText(name) || settings === undefined)
      throw refuse("expected a merger's `name` and `settings`");
    const read = String(name.json).replaceAll("-", "_").trim();
    return read === "" ? [] : [{ name: read, at, ...readOptions(settings.value, refuse) }];
  }
  const [first, ...rest] = value.items ?? [];
  if (first === undefined) throw refuse("expected a merger's name and its options");
  if (!first.value.json) return [];
  if (!isText(first.value)) throw refuse("expected a merger's name and its options");
  return [
    { name: String(first.value.json), at, ...optionsIn(rest.map(({ value: each }) => each)) },
  ];
}

/** Options as a list, as the keys of a mapping, or in one text, where any that it contains counts. */
function readOptions(
  value: BuiltValue,
  refuse: (message: string) => MergeProblem,
): Pick<NamedMerger, "has" | "written"> {
  if (isText(value)) {
    const text = String(value.json);
    return { has: (option) => text.includes(option), written: [] };
  }
  if (value.members !== null) return optionsIn([...value.members.values()].map(({ key }) => key));
  if (value.items === null) throw refuse("expected a merger's options as a list");
  return optionsIn(value.items.map((item) => item.value));
}

function optionsIn(values: readonly BuiltValue[]): Pick<NamedMerger, "has" | "written"> {
  const written = values.filter(isText).map(({ json }) => String(json));
  return { has: (option) => written.includes(option), written };
}

/** The first merger of each type, which is the one that counts; all of them must be mergers. */
function collect(named: readonly NamedMerger[]): ReadMergers {
  const mergers = new Map<MergerType, Merger>();
  const unknown: UnknownOption[] = [];
  for (const { name, has, written, at } of named) {
    const type = typeOf(name, at);
    if (mergers.has(type)) continue;
    mergers.set(type, { type, options: new Set(mergerOptions[type].filter(has)) });
    const others = new Set(written.filter((option) => !mergerOptions[type].includes(option)));
    others.delete("");
    for (const option of [...others].slice(0, mostUnknown))
      unknown.push({ type, option, near: nearest(option, mergerOptions[type]) });
  }
  return { mergers: [...mergers.values()], unknown };
}

function typeOf(name: string, at: number | undefined): MergerType {
  const bare = name.startsWith("m_") ? name.slice(2) : name;
  if (bare === "dict" || bare === "list" || bare === "str") return bare;
  const message = `there is no merger \`${shownKey(name)}\``;
  throw new MergeProblem("merge/invalid-mergers", message, {
    at,
    hint: "there are `dict`, `list` and `str`",
  });
}
