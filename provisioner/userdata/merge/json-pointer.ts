import { shownKey } from "#core/finding.ts";
import type { BuiltValue, Item } from "../yaml-values.ts";
import { MergeProblem } from "./merge-problem.ts";

/** Keys from the root to a value (RFC 6901). */
export type Pointer = readonly string[];

/** Reads a pointer. Throws {@link MergeProblem} for what is none. */
export function readPointer(written: Item): Pointer {
  const { json } = written.value;
  const isPointer = typeof json === "string" && /^(?:\/(?:[^~]|~[01])*)?$/s.test(json);
  if (!isPointer) {
    const message = "expected a path such as `/runcmd/0`";
    const hint = "begin it with `/`, and write `~1` for `/` and `~0` for `~` in a key";
    throw new MergeProblem("merge/invalid-patch", message, { at: written.at, hint });
  }
  const keys = json.split("/").slice(1);
  return keys.map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The value under one key or index; `undefined` where there is none. */
export function childOf(value: BuiltValue, key: string): Item | undefined {
  if (value.members !== null) return memberOf(value, key);
  return isIndex(key) ? value.items?.[Number(key)] : undefined;
}

/** The member of this key, which is a text: a number in its place is another key. */
export function memberOf(value: BuiltValue, key: string): Item | undefined {
  const member = value.members?.get(key);
  return member?.key.scalar?.identity === `s${key}` ? member : undefined;
}

/** Whether a key may be the index of an item: no sign, no zero before other digits. */
export function isIndex(key: string): boolean {
  return /^(?:0|[1-9][0-9]{0,9})$/.test(key);
}

/** A pointer as messages show it. */
export function shownPointer(pointer: Pointer): string {
  return `\`/${shownKey(pointer.join("/"))}\``;
}
