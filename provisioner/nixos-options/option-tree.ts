import { nearest } from "#core/nearest.ts";
import { type OptionType, parseOptionType } from "./option-types.ts";

/** Options by name, as a tree of name parts. */
export interface OptionNode {
  readonly children: ReadonlyMap<string, OptionNode>;
  /** The options below any attribute name (`users.users._name_`). */
  readonly anyName: OptionNode | undefined;
  /** The options of each element of a list (`swapDevices._`). */
  readonly element: OptionNode | undefined;
  /** `undefined` for a node that only groups options. */
  readonly type: OptionType | undefined;
  /** The type in words, for messages. */
  readonly words: string;
}

/** What decides about a value: the options declared there, and the type of what is not declared. */
export interface OptionPlace {
  readonly node: OptionNode | undefined;
  readonly type: OptionType | undefined;
  readonly words: string;
}

interface Draft {
  readonly children: Map<string, Draft>;
  words: string | undefined;
}

/** Builds the tree from pairs of option name and type in words. */
export function buildOptionTree(options: Iterable<readonly [string, string]>): OptionNode {
  const root: Draft = { children: new Map(), words: undefined };
  for (const [name, words] of options) {
    let draft = root;
    for (const part of nameParts(name)) {
      const next: Draft = draft.children.get(part) ?? { children: new Map(), words: undefined };
      draft.children.set(part, next);
      draft = next;
    }
    draft.words = words;
  }
  return new LazyNode(root);
}

/** Read where somebody looks: a check follows some hundreds of more than twenty thousand options. */
class LazyNode implements OptionNode {
  readonly #draft: Draft;
  #children: ReadonlyMap<string, OptionNode> | undefined;
  readonly #below = new Map<string, OptionNode>();
  #type: OptionType | undefined;

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  get children(): ReadonlyMap<string, OptionNode> {
    const named = () =>
      [...this.#draft.children]
        .filter(([part]) => part !== "_name_" && part !== "_")
        .map(([part, child]) => [part, new LazyNode(child)] as const);
    this.#children ??= new Map(named());
    return this.#children;
  }

  get anyName(): OptionNode | undefined {
    return this.#wildcard("_name_");
  }

  get element(): OptionNode | undefined {
    return this.#wildcard("_");
  }

  get type(): OptionType | undefined {
    const { words } = this.#draft;
    if (words !== undefined) this.#type ??= parseOptionType(words);
    return this.#type;
  }

  get words(): string {
    return this.#draft.words ?? "a group of options";
  }

  #wildcard(part: string): OptionNode | undefined {
    const child = this.#draft.children.get(part);
    if (child === undefined) return undefined;
    const node = this.#below.get(part) ?? new LazyNode(child);
    this.#below.set(part, node);
    return node;
  }
}

/** Parts of a name; `_net.core.rmem_max_` is one quoted part with dots in it. */
function nameParts(name: string): readonly string[] {
  const parts: string[] = [];
  let quoted: string | undefined;
  for (const part of name.split(".")) {
    if (quoted === undefined && part.startsWith("_") && !part.endsWith("_")) quoted = part;
    else if (quoted === undefined) parts.push(part);
    else {
      quoted += `.${part}`;
      if (!part.endsWith("_")) continue;
      parts.push(quoted.slice(1, -1));
      quoted = undefined;
    }
  }
  return quoted === undefined ? parts : [...parts, ...quoted.split(".")];
}

/** Where a path ran out of declared names. */
export interface UnknownName {
  readonly depth: number;
  /** Declared names that are nearly the same, the nearest first. */
  near(): readonly string[];
}

/**
 * Follows a path: declared names first, then `_name_`, then what a free-form type allows. Of a group
 * that has no type of its own, what is around it says what it may hold beside what is declared.
 */
export function findOption(
  start: OptionPlace,
  path: readonly string[],
  depth = 0,
): OptionPlace | UnknownName {
  const part = path[depth];
  if (part === undefined) return start;
  const { node, type } = start;
  let failure: UnknownName = { depth, near: () => nearNames(node, part) };
  for (const child of [node?.children.get(part), node?.anyName]) {
    if (child === undefined) continue;
    const place = placeOf(child);
    const found = findOption(
      { ...place, type: place.type ?? freeAttribute(type, node) },
      path,
      depth + 1,
    );
    if (!("depth" in found)) return found;
    failure = found;
  }
  if (failure.depth > depth) return failure;
  const free = freeAttribute(type, node);
  return free === undefined
    ? failure
    : findOption({ node: undefined, type: free, words: start.words }, path, depth + 1);
}

/** The place that a node of the tree describes. */
export function placeOf(node: OptionNode): OptionPlace {
  return { node, type: node.type, words: node.words };
}

/** The type of an attribute that is not declared, or `undefined` where none may be set. */
function freeAttribute(
  type: OptionType | undefined,
  node: OptionNode | undefined,
): OptionType | undefined {
  switch (type?.kind) {
    case "any":
      return type;
    case "attrs":
      return type.of;
    case "submodule":
      return node === undefined || isUndeclared(node) ? { kind: "any" } : undefined;
    case "union":
      return union(type.of.flatMap((each) => freeAttribute(each, node) ?? []));
    default:
      return undefined;
  }
}

function union(types: readonly OptionType[]): OptionType | undefined {
  const [only] = types;
  return types.length < 2 ? only : { kind: "union", of: types };
}

/** Whether the list says nothing about the inside of a submodule. */
function isUndeclared(node: OptionNode): boolean {
  return node.children.size === 0 && node.anyName === undefined && node.element === undefined;
}

const maxNear = 3;

function nearNames(node: OptionNode | undefined, part: string): readonly string[] {
  const candidates = [...(node?.children.keys() ?? [])].sort();
  const near: string[] = [];
  while (near.length < maxNear) {
    const name = nearest(part, candidates);
    if (name === undefined) break;
    near.push(name);
    candidates.splice(candidates.indexOf(name), 1);
  }
  return near;
}
