import type { PathPart } from "../input.ts";
import {
  type BuiltValue,
  type Item,
  listValue,
  type Member,
  mappingValue,
  textValue,
} from "../yaml-values.ts";
import type { MergeLimits } from "./merge-limits.ts";
import { MergeProblem } from "./merge-problem.ts";
import { isText, type Merger, type MergerType } from "./mergers.ts";

/** Something that is not in the result: of two values at one path one counts. */
export interface Lost {
  readonly path: readonly PathPart[];
  /** Offsets of what counts and of what does not. */
  readonly counts: number;
  readonly lost: number;
}

/** What merging takes beside the two values. */
export interface MergeOptions {
  readonly mergers: readonly Merger[];
  readonly limits: MergeLimits;
  /** Told of each value that is lost to another one. */
  readonly onLost?: (lost: Lost) => void;
}

/**
 * Merges `next` into `old` as cloud-init's `cloudinit/mergers` do it: the first merger for the type of
 * `old` decides, and without one `old` stays as it is. Both stay unchanged. Throws
 * {@link MergeProblem} where Python would, and beyond the limits.
 */
export function mergeValues(old: Item, next: Item, options: MergeOptions): Item {
  return new Merging(options).merge(old, next, []);
}

type Path = readonly PathPart[];

class Merging {
  readonly #limits: MergeLimits;
  readonly #onLost: (lost: Lost) => void;
  readonly #optionsOf: (type: MergerType) => ReadonlySet<string> | undefined;

  constructor({ mergers, limits, onLost = () => undefined }: MergeOptions) {
    this.#limits = limits;
    this.#onLost = onLost;
    this.#optionsOf = (type) => mergers.find((merger) => merger.type === type)?.options;
  }

  merge(old: Item, next: Item, path: Path): Item {
    const type = typeOf(old.value);
    const options = type && this.#optionsOf(type);
    if (options === undefined) return this.#lose(next, old, path);
    switch (type) {
      case "dict":
        return this.#intoDict(old, next, { path, options });
      case "list":
        return this.#intoList(old, next, { path, options });
      default:
        return this.#intoText(old, next, { path, options });
    }
  }

  #intoDict(old: Item, next: Item, { path, options }: Into): Item {
    if (old.value.members === null || next.value.members === null)
      return this.#lose(next, old, path);
    this.#limits.spend(old.value.members.size + next.value.members.size);
    const members = new Map(old.value.members);
    for (const [name, member] of next.value.members) {
      const present = members.get(name);
      if (present === undefined || !isSameKey(present, member)) members.set(name, member);
      else if (member.value.scalar?.json === null && options.has("allow_delete")) {
        members.delete(name);
      } else {
        members.set(name, this.#sameKey(present, member, { path: [...path, name], options }));
      }
    }
    return this.#made(old, mappingValue(members));
  }

  #sameKey(present: Member, next: Member, { path, options }: Into): Member {
    if (options.has("replace")) {
      this.#lose(present, next, path);
      return { ...next, name: present.name, key: present.key };
    }
    if (!isMerged(next.value, options, "always"))
      return { ...present, ...this.#lose(next, present, path) };
    return { ...present, ...this.merge(present, next, path) };
  }

  #intoList(old: Item, next: Item, { path, options }: Into): Item {
    const items = old.value.items ?? [];
    const method = listMethods.find((each) => options.has(each)) ?? "replace";
    if (method === "replace" && next.value.items === null) return this.#lose(old, next, path);
    const others = itemsOf(next);
    this.#limits.spend(items.length + others.length);
    if (method === "append") return this.#made(old, listValue([...items, ...others]));
    if (method === "prepend") return this.#made(old, listValue([...others, ...items]));
    const common = Math.min(items.length, others.length);
    if (next.value.members !== null) refuseKeys(next, common);
    const [tooMany] = others.slice(items.length);
    if (tooMany !== undefined) this.#lose(tooMany, old, [...path, items.length]);
    const merged = items.map((item, index): Item => {
      const other = others[index];
      if (other === undefined) return item;
      const place = [...path, index];
      if (method === "no_replace") return this.#lose(other, item, place);
      return isMerged(other.value, options, "recurse_dict")
        ? this.merge(item, other, place)
        : this.#lose(item, other, place);
    });
    return this.#made(old, listValue(merged));
  }

  #intoText(old: Item, next: Item, { path, options }: Into): Item {
    if (!options.has("append")) return this.#lose(old, next, path);
    if (!isText(next.value)) {
      const message = "only a text can be added to a text";
      throw new MergeProblem("merge/failed", message, { at: next.at, hint: "write a text here" });
    }
    return this.#made(old, textValue(`${old.value.json}${next.value.json}`));
  }

  #made(old: Item, value: BuiltValue): Item {
    this.#limits.check(value, old.at);
    return { at: old.at, value };
  }

  #lose(lost: Item, counts: Item, path: Path): Item {
    if (path.length > 0 && lost !== counts && !isSameScalar(lost.value, counts.value))
      this.#onLost({ path, counts: counts.at, lost: lost.at });
    return { at: counts.at, value: counts.value };
  }
}

interface Into {
  readonly path: Path;
  readonly options: ReadonlySet<string>;
}

/** Of several that a list merger is given the first here counts. */
const listMethods = ["append", "prepend", "replace", "no_replace"] as const;

function typeOf(value: BuiltValue): MergerType | undefined {
  if (value.members !== null) return "dict";
  if (value.items !== null) return "list";
  return isText(value) ? "str" : undefined;
}

/** Whether a value is merged into what is there; mappings in mappings always are. */
function isMerged(
  value: BuiltValue,
  options: ReadonlySet<string>,
  mappings: "always" | "recurse_dict",
): boolean {
  switch (typeOf(value)) {
    case "dict":
      return mappings === "always" || options.has(mappings);
    case "list":
      return options.has("recurse_array") || options.has("recurse_list");
    case "str":
      return options.has("recurse_str");
    default:
      return false;
  }
}

/** What Python goes through: items, keys of a mapping, characters of a text. */
function itemsOf({ at, value }: Item): readonly Item[] {
  if (value.items !== null) return value.items;
  if (value.members !== null)
    return [...value.members.values()].map(({ keyAt, key }) => ({ at: keyAt, value: key }));
  if (isText(value))
    return [...String(value.json)].map((character) => ({ at, value: textValue(character) }));
  throw new MergeProblem("merge/failed", "this cannot be merged into a list", {
    at,
    hint: "write a list here",
  });
}

/** Python asks a mapping for the keys 0, 1, …, which it seldom has. */
function refuseKeys({ at, value }: Item, count: number): void {
  const keys = new Set([...(value.members?.values() ?? [])].map(({ key }) => key.scalar?.identity));
  for (let index = 0; index < count; index++) {
    if (keys.has(`n${index}`)) continue;
    throw new MergeProblem("merge/failed", "a mapping cannot be merged into a list", {
      at,
      hint: "write a list here",
    });
  }
}

function isSameKey(a: Member, b: Member): boolean {
  return a.key.scalar?.identity === b.key.scalar?.identity;
}

function isSameScalar(a: BuiltValue, b: BuiltValue): boolean {
  return a.scalar !== null && b.scalar !== null && a.scalar.identity === b.scalar.identity;
}
