import { fromJson, isTakeOver, type PlainData } from "#provisioner/nix-language/from-json.ts";
import {
  type Assignment,
  addFinding,
  assign,
  attempt,
  type Concern,
  winning,
} from "./assignment.ts";
import { isOptionPath, splitOptionName } from "./option-name.ts";

/**
 * Raw options by dotted name; those that the rest of the spec sets are refused. A single value wins
 * over the image's own, as everywhere; lists and sets are added to what the image says.
 */
export function renderRawOptions(
  concern: Concern,
  others: readonly Assignment[],
): readonly Assignment[] {
  const set = others.map(({ path }) => path.join("\0"));
  return Object.entries(concern.spec.options ?? {}).flatMap(([name, data]) => {
    const from = ["options", name];
    const path = readName(concern, name);
    if (path === undefined) return [];
    const key = path.join("\0");
    if (set.some((other) => isSameOrInside(other, key) || isSameOrInside(key, other))) {
      addFinding(
        concern,
        from,
        "error",
        "render/option-twice",
        "another part of the spec sets this option",
        "say it in one place",
      );
      return [];
    }
    set.push(key);
    const value = attempt(concern, from, () => fromJson(data as PlainData));
    if (value === undefined) return [];
    const isOne = typeof data !== "object" || data === null;
    return [assign(path, isOne ? winning(concern.base, value) : value, from)];
  });
}

function readName(concern: Concern, name: string): readonly string[] | undefined {
  const path = splitOptionName(name);
  const from = ["options", name];
  if (path === undefined || !isOptionPath(path)) {
    addFinding(
      concern,
      from,
      "error",
      "render/option-name",
      path === undefined ? "expected names joined by dots" : "expected the name of an option",
      'write it as in a module, names that hold dots in quotes: services.x."a.b"',
    );
    return undefined;
  }
  if (path.some((part) => isTakeOver(part))) {
    const message = "expected names of options, got a key that NixOS obeys";
    addFinding(concern, from, "error", "nix/take-over-key", message);
    return undefined;
  }
  return path;
}

function isSameOrInside(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}\0`);
}
