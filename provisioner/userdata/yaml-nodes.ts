import { type ScalarType, typeOfPlain } from "./yaml-types.ts";
import type { WrittenText } from "./yaml-written.ts";

/** A node where it is used: an alias uses a node that stands elsewhere. */
export interface NodeUse {
  readonly node: YamlNode;
  /** Offset of the use in the prepared text. */
  readonly at: number;
}

export interface ScalarNode {
  readonly kind: "scalar";
  readonly at: number;
  /** Whole tag, for example `tag:yaml.org,2002:str`; `null` where the text decides. */
  readonly tag: string | null;
  readonly text: string;
  /** Whether the text may be something else than text: it stands without quotes, or after `!`. */
  readonly plain: boolean;
  /** Where its lines stand, if there are several. */
  readonly written: WrittenText | null;
}

export interface SequenceNode {
  readonly kind: "sequence";
  readonly at: number;
  readonly tag: string | null;
  readonly items: NodeUse[];
}

export interface MappingNode {
  readonly kind: "mapping";
  readonly at: number;
  readonly tag: string | null;
  readonly entries: MappingEntry[];
}

/** A key and its value, in the order of the document; keys may repeat. */
export interface MappingEntry {
  readonly key: NodeUse;
  readonly value: NodeUse;
}

export type YamlNode = ScalarNode | SequenceNode | MappingNode;

/** Bounds of a document; beyond them it is refused. */
export interface NodeLimits {
  /** Collections inside one another. */
  readonly maxDepth: number;
  /** Scalars and collections, uses through aliases and merge keys counted as well. */
  readonly maxNodes: number;
}

/** What the tags of YAML's own types begin with; `!!` stands for it. */
export const standardPrefix = "tag:yaml.org,2002:";

/** The whole tag of a node: as written, or what its text and kind say. */
export function tagOf(node: YamlNode): string {
  if (node.tag !== null) return node.tag;
  if (node.kind === "scalar") return standardPrefix + typeOf(node);
  return standardPrefix + (node.kind === "sequence" ? "seq" : "map");
}

function typeOf({ plain, text }: ScalarNode): ScalarType {
  // Python's `$` also matches before a final newline, which only a scalar tagged `!` can have.
  return plain ? typeOfPlain(text.replace(/(.)\n$/, "$1")) : "str";
}

/** Whether a key is `<<`, whose value is merged into the mapping. */
export function isMerge(node: YamlNode): boolean {
  if (node.tag !== null) return node.tag === `${standardPrefix}merge`;
  return node.kind === "scalar" && node.plain && node.text === "<<";
}
