import { holdsPrivateKey } from "#core/private-key.ts";
import type { File } from "#generated/provisioner/spec/v1.ts";
import { isTakeOver } from "#provisioner/nix-language/from-json.ts";
import { attrs, bind, call, int, ref, str } from "#provisioner/nix-language/tree.ts";
import { hintForOwned, isSystemDirectory } from "#provisioner/nixos-paths/owned-paths.ts";
import { hintForUnread } from "#provisioner/nixos-paths/unread-paths.ts";
import { type Assignment, addFinding, assign, type Concern, winning } from "./assignment.ts";
import { isEnabled } from "./enabled-units.ts";
import { type FileMoment, type PlacedFile, renderFileUnits } from "./file-unit.ts";
import { madeMounts } from "./made-mounts.ts";
import { mountsAt, mountUnits } from "./mount-order.ts";
import { warnOfUndeclared } from "./undeclared.ts";
import { unitNameOf } from "./unit-name.ts";

/** A file of the spec, and its place in the list. */
interface Entry {
  readonly file: File;
  readonly index: number;
}

/**
 * Files: what everybody may read under /etc is part of the system, unit files as units; everything
 * else is put in place by a unit, secrets from their credentials, and never stands in the store. It is
 * put again at each boot, as what is part of the system is; or once, where the spec says so.
 */
export function renderFiles(concern: Concern): readonly Assignment[] {
  const entries = (concern.spec.files ?? [])
    .map((file, index) => ({ file: { ...file, path: file.path.replace(/\/+/g, "/") }, index }))
    .filter((entry) => isAllowed(concern, entry));
  const byPath = Map.groupBy(entries, ({ file }) => file.path);
  const all = [...byPath.values()].flatMap((chain) => place(concern, chain));
  refuseInside(concern, all);
  const units = all.filter((file) => unitNameOf(file.file) !== undefined);
  const placed = all.filter((file) => unitNameOf(file.file) === undefined);
  for (const each of placed) checkOwners(concern, each);
  const system = placed.filter((file) => isPartOfSystem(file));
  const others = placed.filter((file) => !isPartOfSystem(file));
  const mounts = mountUnits(concern.spec);
  const made = madeMounts(concern.spec).mounts;
  const momentOf = ({ file, last }: PlacedFile): FileMoment => {
    // What comes over the network is not there before it.
    if (last.defer === true || mountsAt(mounts, file.path).some(({ isLate }) => isLate))
      return "deferred";
    return mountsAt(made, file.path).length === 0 ? "early" : "mounted";
  };
  const byMoment = Map.groupBy(others, momentOf);
  return [
    ...units.map((file) => unitFile(concern, file)),
    ...system.map((file) => etcFile(concern, file)),
    ...(["early", "mounted", "deferred"] as const).flatMap((moment) =>
      renderFileUnits(concern, { files: byMoment.get(moment) ?? [], moment }),
    ),
  ];
}

function isAllowed(concern: Concern, { file, index }: Entry): boolean {
  const from = ["files", String(index)];
  const climbs = file.path.split("/").some((part) => part === ".." || part === ".");
  const isUnit = unitNameOf(file) !== undefined && !isSaidTwice(concern, file);
  const refused = climbs ? climbing : isUnit ? undefined : refusedPlace(file.path);
  if (refused !== undefined) {
    addFinding(concern, from, "warning", "render/owned-path", refused.message, refused.hint);
    return false;
  }
  const instead = hintForUnread(file.path);
  if (instead !== undefined) {
    const message = "nothing on NixOS reads this file; it is written all the same";
    addFinding(concern, from, "warning", "render/unread-path", message, instead);
  }
  if (file.content !== undefined && isReadableByAll(file) && holdsPrivateKey(file.content)) {
    const message = "a private key that everybody may read, also in the store of this machine";
    addFinding(concern, from, "warning", "render/readable-key", message, 'give it the mode "0600"');
  }
  if (file.secret === undefined && !isReadableByAll(file)) {
    const message =
      "a file that not everybody may read must be a secret, or it would be in the store";
    addFinding(concern, from, "error", "render/file-not-secret", message, "name it in `secret`");
    return false;
  }
  return true;
}

const climbing = {
  message: "a path may not hold . or .. as a name",
  hint: "write the path out",
} as const;

/** Why no file of the spec can stand at a path, and what to do. */
function refusedPlace(
  path: string,
): { readonly message: string; readonly hint: string } | undefined {
  if (isSystemDirectory(path)) {
    return { message: "this is a directory on NixOS; it is left alone", hint: "name a file in it" };
  }
  const hint = hintForOwned(path);
  if (hint === undefined) return undefined;
  return { message: "NixOS makes this file itself; it is left alone", hint };
}

function isSaidTwice({ spec }: Concern, file: File): boolean {
  return Object.hasOwn(spec.units ?? {}, unitNameOf(file) ?? "");
}

/** NixOS makes the whole directory of units, so that a unit is an option and not a file. */
function unitFile(concern: Concern, { file, index }: PlacedFile): Assignment {
  const from = ["files", String(index)];
  const name = unitNameOf(file) ?? "";
  if (!isEnabled(concern.spec, name)) {
    const message = "a unit: nothing starts it at boot";
    addFinding(concern, from, "note", "render/unit-file", message, "use `units` with `wantedBy`");
  }
  const text = call(ref("lib", "mkOverride"), int(90), str(file.content ?? ""));
  return assign(["systemd", "units", name, "text"], text, from);
}

function isReadableByAll({ mode = "0644", content }: File): boolean {
  return content === undefined || (Number.parseInt(mode, 8) & 0o004) !== 0;
}

/** The entries of one path as what is put there: the last whole file, and what is added to it. */
function place(concern: Concern, chain: readonly Entry[]): readonly PlacedFile[] {
  const start = chain.findLastIndex(({ file }) => file.append !== true);
  for (const { index } of chain.slice(0, Math.max(start, 0))) {
    const message = "a later entry replaces this file";
    addFinding(concern, ["files", String(index)], "note", "render/file-twice", message);
  }
  const [first, ...added] = chain.slice(Math.max(start, 0));
  const last = chain.at(-1);
  if (first === undefined || last === undefined) return [];
  const parts = [first, ...added].map(({ file, index }) => ({
    index,
    ...(file.secret === undefined
      ? { text: file.content ?? "" }
      : { secret: file.secret.secretRef }),
  }));
  return [{ file: first.file, last: last.file, index: first.index, parts, replaces: start >= 0 }];
}

/** A path below a file is one that cannot be. */
function refuseInside(concern: Concern, placed: readonly PlacedFile[]): void {
  const paths = new Set(placed.map(({ file }) => file.path));
  for (const { file, index } of placed) {
    const above = file.path.split("/").map((_, end, parts) => parts.slice(0, end).join("/"));
    const outer = above.find((path) => paths.has(path));
    if (outer === undefined) continue;
    const message = "this path is inside of another file of the list";
    const hint = "a file holds no others: give one of the two another path";
    addFinding(concern, ["files", String(index)], "error", "render/file-inside", message, hint);
  }
}

/**
 * Names that the Nix store and the module system take as they are; any other file is put in place
 * by the unit. A name in the store has at most 211 characters, `etc-` and the path among them.
 */
const etcName = /^[A-Za-z0-9+_=?-][A-Za-z0-9+._=?/-]{0,199}$/;

function isPartOfSystem({ file, parts, replaces }: PlacedFile): boolean {
  const name = file.path.slice("/etc/".length);
  return (
    replaces &&
    file.once !== true &&
    file.path.startsWith("/etc/") &&
    etcName.test(name) &&
    !isTakeOver(name) &&
    parts.every((part) => "text" in part)
  );
}

/** NixOS looks a bare number up as a name, finds none, and takes root. */
function idOrName(owner: string): string {
  return /^\d+$/.test(owner) ? `+${owner}` : owner;
}

/** Of an account that nobody makes no file can be. */
function checkOwners(concern: Concern, placed: PlacedFile): void {
  const otherwise = isPartOfSystem(placed)
    ? "without one the file is root's"
    : "without one the file is root's, and the unit that writes it fails";
  const { file, index } = placed;
  for (const [key, kind] of [
    ["owner", "user"],
    ["group", "group"],
  ] as const) {
    const name = file[key];
    if (name === undefined || /^\d+$/.test(name)) continue;
    warnOfUndeclared(concern, { kind, name, at: ["files", String(index), key], otherwise });
  }
}

function etcFile(concern: Concern, { file, index, parts }: PlacedFile): Assignment {
  const text = parts.map((part) => ("text" in part ? part.text : "")).join("");
  const { owner = "root", group = "root" } = file;
  const mode = (file.mode ?? "0644").padStart(4, "0");
  const isCopied = !["0644", "0444"].includes(mode) || owner !== "root" || group !== "root";
  const value = winning(concern.base, str(text));
  const option = ["environment", "etc", file.path.slice("/etc/".length)];
  const from = ["files", String(index)];
  if (!isCopied) return assign([...option, "text"], value, from);
  const copied = attrs([
    bind("text", value),
    bind("mode", str(mode)),
    bind("user", str(idOrName(owner))),
    bind("group", str(idOrName(group))),
  ]);
  return assign(option, copied, from);
}
