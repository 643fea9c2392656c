import { posix } from "node:path";
import { fromJson, isTakeOver, type PlainData } from "#provisioner/nix-language/from-json.ts";
import { attrPath } from "#provisioner/nix-language/text.ts";
import { warnOfAbsentNetworkSecrets } from "./absent-network-secrets.ts";
import {
  type Assignment,
  addFinding,
  assign,
  attempt,
  type Concern,
  winning,
} from "./assignment.ts";
import { isOptionPath, splitOptionName } from "./option-name.ts";
import { warnOfSecrets } from "./readable-secrets.ts";
import { isVainGrowth } from "./root-growth.ts";

/**
 * Raw options by dotted name; those that the rest of the spec sets are refused, and those of
 * firstlight itself: user-data does not say who may change a node. A single value wins
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
    const mine = partOfFirstlight(path, data);
    if (mine !== undefined) {
      const message = `${attrPath(mine)} belongs to the owner of the image, not to user-data`;
      const hint = "set it in the image, or in local.nix";
      addFinding(concern, from, "error", "render/own-option", message, hint);
      return [];
    }
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
    if (isVainGrowth(concern, path, from, data)) return [];
    set.push(key);
    warnOfSecrets(concern, from, path.at(-1) ?? "", data);
    warnOfAbsentNetworkSecrets(concern, from, data);
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
    const hint = "write the value alone; a module of NixOS can say more, where the image takes one";
    addFinding(concern, from, "error", "nix/take-over-key", message, hint);
    return undefined;
  }
  return path;
}

/** The place below a path where data would decide about firstlight itself. */
function partOfFirstlight(path: readonly string[], data: unknown): readonly string[] | undefined {
  const [root, second, name = "", key] = path;
  if (root === "services" && second === "firstlight") return path;
  if (root === "environment" && second === "etc") {
    if (isBelowFirstlight(name)) return path;
    if (key === "target" && typeof data === "string" && isBelowFirstlight(data)) return path;
  }
  if (path.length > 3 || typeof data !== "object" || data === null) return undefined;
  for (const [inner, value] of Object.entries(data)) {
    const found = partOfFirstlight([...path, inner], value);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Of a name below /etc, however it is written. */
function isBelowFirstlight(name: string): boolean {
  return /^\/firstlight(\/|$)/.test(posix.normalize(`/${name}`));
}

function isSameOrInside(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}\0`);
}
