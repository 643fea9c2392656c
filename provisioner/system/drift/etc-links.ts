import type { Files } from "#core/io.ts";
import { changedAt } from "./intent.ts";
import type { DriftItem } from "./report.ts";

/** Where NixOS puts the system's own tree; every file of it has its like in /etc. */
const staticTree = "/etc/static";
const maxEntries = 20_000;
const maxDepth = 16;
const maxBytes = 16 * 1024 * 1024;
/** Beside an entry: that it is copied, and with which mode and owner. */
const aside = /\.(mode|uid|gid)$/;

/**
 * Files of /etc that are not the system's any more. NixOS makes a link into /etc/static of each,
 * a copy where a mode is asked for (`NAME.mode`), and a link to the store for `direct-symlink`.
 * Source: nixos/modules/system/etc/setup-etc.pl.
 */
export function etcItems(files: Files, storeFiles: Files): readonly DriftItem[] {
  const tree = files.readLink(staticTree);
  const root = tree === undefined ? undefined : storeFiles.realPath(tree);
  if (root === undefined) return []; // none of NixOS's, or one that is an overlay and cannot be changed
  return listEntries(storeFiles, root).flatMap((entry) => {
    const found = compare(files, storeFiles, { root, entry });
    return found === undefined ? [] : [found];
  });
}

/** The link that a name of /etc should be; `undefined` where it is a copy, or none of the system's. */
export function etcTarget(files: Files, storeFiles: Files, name: string): string | undefined {
  const tree = files.readLink(staticTree);
  const root = tree === undefined ? undefined : storeFiles.realPath(tree);
  return root === undefined
    ? undefined
    : linkTarget(storeFiles, root, name.replace(/^\/etc\//, ""));
}

function linkTarget(storeFiles: Files, root: string, entry: string): string | undefined {
  if (storeFiles.stat(`${root}/${entry}`) === undefined) return undefined;
  const mode = storeFiles.readText(`${root}/${entry}.mode`)?.trim();
  if (mode === undefined) return `${staticTree}/${entry}`;
  return mode === "direct-symlink" ? storeFiles.readLink(`${root}/${entry}`) : undefined;
}

interface Place {
  readonly root: string;
  readonly entry: string;
}

function compare(files: Files, storeFiles: Files, { root, entry }: Place): DriftItem | undefined {
  const name = `/etc/${entry}`;
  const wanted = linkTarget(storeFiles, root, entry);
  if (wanted !== undefined) {
    if (files.readLink(name) === wanted) return undefined;
    return changed(files, name, { declared: `a link to ${wanted}`, remedy: "repair" });
  }
  const text = storeFiles.readText(`${root}/${entry}`, { maxBytes });
  if (text === undefined || files.readText(name, { maxBytes }) === text) return undefined;
  // Its owner and mode are the activation's to give.
  return changed(files, name, { declared: "a copy of the system's file", remedy: "person" });
}

function changed(
  files: Files,
  name: string,
  { declared, remedy }: Pick<DriftItem, "declared" | "remedy">,
): DriftItem {
  const target = files.readLink(name);
  const kind = files.stat(name)?.kind;
  const other = kind === undefined ? "not there" : `a ${kind} of another content`;
  return {
    layer: "running",
    kind: "etc-changed",
    subject: name,
    declared,
    actual: target === undefined ? other : `a link to ${target}`,
    since: changedAt(files, name),
    by: null,
    level: "warning",
    remedy,
  };
}

/** Everything in the tree that is no directory, by its path in there. */
function listEntries(files: Files, root: string): readonly string[] {
  const entries: string[] = [];
  const visit = (below: string, depth: number): void => {
    for (const name of files.list(`${root}/${below}`)) {
      const entry = below === "" ? name : `${below}/${name}`;
      if (entries.length >= maxEntries) return;
      if (files.stat(`${root}/${entry}`)?.kind !== "directory") {
        if (!aside.test(name)) entries.push(entry);
      } else if (depth < maxDepth) {
        visit(entry, depth + 1);
      }
    }
  };
  visit("", 0);
  return entries;
}
