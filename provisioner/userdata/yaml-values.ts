import type { Json } from "#core/canonical-json.ts";
import { setOwn } from "./own-key.ts";
import type { ScalarValue } from "./yaml-types.ts";
import type { WrittenText } from "./yaml-written.ts";

/** A value with the places of its parts. Aliases share one built value. */
export interface BuiltValue {
  readonly json: Json;
  /** Of a mapping: its members by JSON key. */
  readonly members: ReadonlyMap<string, Member> | null;
  /** Of a list. */
  readonly items: readonly Item[] | null;
  readonly scalar: ScalarValue | null;
  /** Of a text with several lines, here or in the document: where they stand. */
  readonly written?: WrittenText;
  /** Values in it and characters of its texts, with everything aliased written out; levels below it. */
  readonly nodes: number;
  readonly characters: number;
  readonly depth: number;
}

/** A value where it is used, by offset of its first character. */
export interface Item {
  readonly at: number;
  readonly value: BuiltValue;
}

/** A value of a mapping. */
export interface Member extends Item {
  /** JSON key. */
  readonly name: string;
  readonly keyAt: number;
  readonly key: BuiltValue;
  /** Of the mapping itself, not merged into it. */
  readonly own: boolean;
}

/** A text. */
export function textValue(text: string): BuiltValue {
  return scalarValue({ json: text, key: text, identity: `s${text}`, asText: null });
}

/** Anything without parts. */
export function scalarValue(scalar: ScalarValue): BuiltValue {
  const characters = typeof scalar.json === "string" ? scalar.json.length : 8;
  return { json: scalar.json, members: null, items: null, scalar, nodes: 1, characters, depth: 0 };
}

/** A list of values. */
export function listValue(items: readonly Item[]): BuiltValue {
  const json = items.map(({ value }) => value.json);
  return { json, members: null, items, scalar: null, ...sizeOf(items) };
}

/** A JSON object of members; `__proto__` is a key like any other. */
export function mappingValue(members: ReadonlyMap<string, Member>): BuiltValue {
  const json: Record<string, Json> = {};
  let keyCharacters = 0;
  for (const [name, { value }] of members) {
    setOwn(json, name, value.json);
    keyCharacters += name.length;
  }
  const size = sizeOf([...members.values()]);
  const characters = size.characters + keyCharacters;
  return { json, members, items: null, scalar: null, ...size, characters };
}

function sizeOf(items: readonly Item[]): { nodes: number; characters: number; depth: number } {
  let nodes = 1;
  let characters = 0;
  let depth = 0;
  for (const { value } of items) {
    nodes += value.nodes;
    characters += value.characters;
    depth = Math.max(depth, value.depth + 1);
  }
  return { nodes, characters, depth };
}
