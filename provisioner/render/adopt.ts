import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { SourceFile } from "./sources.ts";

const maxFileBytes = 8 * 1024 * 1024;
const maxTotalBytes = 32 * 1024 * 1024;
const maxFiles = 500;
const maxDepth = 16;
const entry = "configuration.nix";

/** Where a machine's own configuration lies. */
export const nixosDirectory = "/etc/nixos";

/**
 * The machine's own configuration, every file of its tree with its mode, or `undefined` when there
 * is none. Links are followed, so that the copy stands on its own. What firstlight itself has
 * published, Git's own folder, and the owner's local.nix (an input of its own) are not part of it;
 * of a published tree it is what was adopted then. Throws `base/adopt` for a tree that cannot be
 * taken over whole.
 */
export function readOwnConfiguration(files: Files): readonly SourceFile[] | undefined {
  if (isPublished(files, entry)) {
    return readTree(files, `${nixosDirectory}/${ours}/base`, new Set());
  }
  const left = isPublished(files, ours) ? [...leftAtTop, ours] : leftAtTop;
  const own = readTree(files, nixosDirectory, new Set(left));
  if (own === undefined) refuseWithoutEntry(files);
  return own;
}

const ours = "firstlight";

/** Whether a name in /etc/nixos is a link that firstlight made; a directory of that name is not. */
function isPublished(files: Files, name: string): boolean {
  return files.readLink(`${nixosDirectory}/${name}`)?.includes("firstlight/sources/") ?? false;
}

/** At the top only: the owner's file, and what `nix-build` leaves. */
const leftAtTop = ["local.nix", "result"];
const ownedByGit = ".git";
/** `NAME.before-firstlight`, and with a number when that was taken. */
const keptAside = /\.before-firstlight(-[0-9]+)?$/;

/** A configuration without our entry would be lost: it is never passed over. */
function refuseWithoutEntry(files: Files): void {
  const modules = files
    .list(nixosDirectory)
    .filter((name) => name.endsWith(".nix") && !leftAtTop.includes(name));
  const [found] = modules;
  if (found === undefined) return;
  const what = modules.includes("flake.nix") ? "a flake" : `${found}`;
  throw new Fault("base/adopt", `${nixosDirectory}: expected ${entry}, found only ${what}`, {
    hint: `give it a ${entry} that imports what this machine needs, or empty the directory`,
  });
}

interface Tree {
  readonly files: Files;
  readonly directory: string;
  readonly found: SourceFile[];
  bytes: number;
}

function readTree(
  files: Files,
  directory: string,
  without: ReadonlySet<string>,
): readonly SourceFile[] | undefined {
  if (files.stat(`${directory}/${entry}`) === undefined) return undefined;
  const tree: Tree = { files, directory, found: [], bytes: 0 };
  for (const name of files.list(directory)) {
    if (!without.has(name)) collect(tree, name, 1);
  }
  return tree.found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function collect(tree: Tree, path: string, depth: number): void {
  const { files, directory, found } = tree;
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name === ownedByGit || keptAside.test(name)) return;
  if (depth > maxDepth) throw refused(`${path}: more than ${maxDepth} directories deep`);
  const full = `${directory}/${path}`;
  const target = files.realPath(full);
  if (target === undefined) throw refused(`${path}: a link to nothing`);
  const stat = files.stat(target);
  if (stat?.kind === "directory") {
    for (const inner of files.list(full)) collect(tree, `${path}/${inner}`, depth + 1);
    return;
  }
  if (stat?.kind !== "file") throw refused(`${path}: neither a file nor a directory`);
  tree.bytes += stat.size;
  if (found.length >= maxFiles) throw refused(`more than ${maxFiles} files`);
  if (tree.bytes > maxTotalBytes) throw refused(`more than ${maxTotalBytes} bytes`);
  found.push({ path, content: readText(files, full), mode: stat.mode & 0o777 });
}

function readText(files: Files, full: string): string {
  const bytes = files.read(full, { maxBytes: maxFileBytes }) ?? new Uint8Array();
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw refused(`${full}: expected UTF-8 text, got other bytes`, cause);
  }
}

function refused(what: string, cause?: unknown): Fault {
  return new Fault("base/adopt", `${nixosDirectory}: ${what}`, {
    cause,
    hint: "move what is not part of the configuration out of /etc/nixos",
  });
}
