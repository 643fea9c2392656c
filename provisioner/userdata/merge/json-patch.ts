import { type BuiltValue, type Item, listValue, mappingValue, textValue } from "../yaml-values.ts";
import { equalValues } from "./equal-values.ts";
import { childOf, isIndex, type Pointer, readPointer, shownPointer } from "./json-pointer.ts";
import type { MergeLimits } from "./merge-limits.ts";
import { MergeProblem } from "./merge-problem.ts";

const operations = ["add", "remove", "replace", "move", "copy", "test"] as const;

interface Operation {
  readonly name: (typeof operations)[number];
  readonly path: Pointer;
  readonly from: Pointer;
  readonly value: Item;
  readonly at: number;
}

/**
 * Applies a JSON patch (RFC 6902) as cloud-init does by Python's `jsonpatch`: all of it or, with a
 * {@link MergeProblem}, nothing. The values that it gives keep their places in the patch.
 */
export function applyPatch(target: Item, patch: Item, limits: MergeLimits): Item {
  if (patch.value.items === null) throw refused("expected a list of operations", patch.at);
  const read = patch.value.items.map(readOperation);
  return read.reduce((item, operation) => {
    const result = applyOne(item, operation, limits);
    limits.check(result.value, operation.at);
    return result;
  }, target);
}

function readOperation(item: Item): Operation {
  const { at, value } = item;
  const member = (name: string) => value.members?.get(name);
  const written = member("op")?.value.json;
  const name = operations.find((each) => each === written);
  if (name === undefined) throw refused(`expected an operation: ${operations.join(", ")}`, at);
  const need = (key: string, isNeeded = true): Item => {
    const found = member(key);
    if (found === undefined && isNeeded) throw refused(`\`${name}\` needs \`${key}\``, at);
    return found ?? { at, value: textValue("") };
  };
  return {
    name,
    at,
    path: readPointer(need("path")),
    from: readPointer(need("from", name === "move" || name === "copy")),
    value: need("value", name === "add" || name === "replace" || name === "test"),
  };
}

function applyOne(target: Item, operation: Operation, limits: MergeLimits): Item {
  const { name, path, from, value, at } = operation;
  const edit: Edit = { limits, at };
  switch (name) {
    case "add":
      return put(target, path, { ...edit, value });
    case "remove":
      return remove(target, path, edit);
    case "replace":
      find(target, path, at);
      return put(target, path, { ...edit, value, isThere: true });
    case "copy":
      return put(target, path, { ...edit, value: findBelow(target, from, at) });
    case "move":
      return move(target, operation, edit);
    case "test":
      if (equalValues(find(target, path, at).value, value.value)) return target;
      throw failed(`the value at ${shownPointer(path)} is not the one that is tested for`, at);
  }
}

interface Edit {
  readonly limits: MergeLimits;
  readonly at: number;
}

interface Put extends Edit {
  readonly value: Item;
  /** Whether the value takes the place of another one. */
  readonly isThere?: boolean;
}

function move(target: Item, { path, from, at }: Operation, edit: Edit): Item {
  const value = findBelow(target, from, at);
  if (path.length === from.length && from.every((key, index) => key === path[index])) return target;
  const isInside = from.length < path.length && from.every((key, index) => key === path[index]);
  // only in mappings: in a list the place is then another one
  if (isInside && find(target, from.slice(0, -1), at).value.members !== null)
    throw failed("a value cannot be moved into itself", at);
  return put(remove(target, from, edit), path, { ...edit, value });
}

function find(target: Item, pointer: Pointer, at: number): Item {
  let here = target;
  for (const [index, key] of pointer.entries()) {
    const child = childOf(here.value, key);
    if (child === undefined)
      throw failed(`there is nothing at ${shownPointer(pointer.slice(0, index + 1))}`, at);
    here = child;
  }
  return here;
}

/** Python's library copies and moves nothing that stands under no key. */
function findBelow(target: Item, pointer: Pointer, at: number): Item {
  if (pointer.length > 0) return find(target, pointer, at);
  throw failed("the whole config cannot be copied or moved", at);
}

function put(target: Item, path: Pointer, { value: given, isThere = false, ...edit }: Put): Item {
  const value: Item = { at: given.at, value: given.value }; // it may be a member, with a key of its own
  if (path.length === 0 && (isThere || target.value.members !== null)) return value;
  return within(target, path, edit, (parent, key) => {
    if (parent.members !== null) {
      const members = new Map(parent.members);
      members.set(key, { name: key, keyAt: value.at, key: textValue(key), own: true, ...value });
      return mappingValue(members);
    }
    const items = parent.items ?? [];
    const index = key === "-" ? items.length : Number(key);
    if ((key !== "-" && !isIndex(key)) || index > items.length)
      throw failed(`${shownPointer(path)} is no place in its list`, edit.at);
    return listValue(items.toSpliced(index, isThere ? 1 : 0, value));
  });
}

function remove(target: Item, path: Pointer, edit: Edit): Item {
  if (path.length === 0) throw failed("the whole config cannot be removed", edit.at);
  find(target, path, edit.at);
  return within(target, path, edit, (parent, key) => {
    if (parent.items !== null) return listValue(parent.items.toSpliced(Number(key), 1));
    const members = new Map(parent.members);
    members.delete(key);
    return mappingValue(members);
  });
}

/** A copy of the target in which the collection that the path ends in is another one. */
function within(
  target: Item,
  path: Pointer,
  edit: Edit,
  change: (parent: BuiltValue, key: string) => BuiltValue,
): Item {
  const [key, ...rest] = path;
  const { value } = target;
  edit.limits.spend(1 + (value.members?.size ?? 0) + (value.items?.length ?? 0));
  if (key === undefined || (value.members === null && value.items === null))
    throw failed("the path leads through a value that holds no others", edit.at);
  if (rest.length === 0) return { at: target.at, value: change(value, key) };
  const inner = within(find(target, [key], edit.at), rest, edit, change);
  if (value.items !== null)
    return { at: target.at, value: listValue(value.items.with(Number(key), inner)) };
  const members = new Map(value.members);
  const member = members.get(key);
  if (member !== undefined) members.set(key, { ...member, ...inner });
  return { at: target.at, value: mappingValue(members) };
}

function refused(message: string, at: number): MergeProblem {
  return new MergeProblem("merge/invalid-patch", message, {
    at,
    hint: 'write each operation as RFC 6902 has it: `{"op": "add", "path": "/runcmd", "value": []}`',
  });
}

function failed(message: string, at: number): MergeProblem {
  return new MergeProblem("merge/failed", message, {
    at,
    hint: "a patch is applied whole or not at all; mend this operation, or take it out",
  });
}
