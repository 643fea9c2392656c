import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { SourceFile } from "./sources.ts";

const maxBytes = 8 * 1024 * 1024;
const maxFiles = 500;
const entry = "configuration.nix";

/** Where a machine's own configuration lies. */
export const nixosDirectory = "/etc/nixos";

/**
 * The machine's own configuration, every file of its tree with its mode, or `undefined` when there
 * is none. What firstlight itself has published, Git's own folder, and the owner's local.nix (an
 * input of its own) are not part of it. Throws `base/adopt` for a tree that cannot be taken over
 * whole.
 */
export function readOwnConfiguration(files: Files): readonly SourceFile[] | undefined {
  const main = files.stat(`${nixosDirectory}/${entry}`);
  if (main === undefined) return undefined;
  if (main.kind === "link" && isPublished(files)) return undefined;
  const found: SourceFile[] = [];
  collect(files, "", found);
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Whether /etc/nixos/configuration.nix is the link that firstlight made. */
export function isPublished(files: Files): boolean {
  return files.readLink(`${nixosDirectory}/${entry}`)?.includes("firstlight/sources/") ?? false;
}

const skipped = new Set([".git", "firstlight", "local.nix", "result"]);

function collect(files: Files, below: string, found: SourceFile[]): void {
  for (const name of files.list(`${nixosDirectory}${below}`)) {
    if (
      (below === "" && skipped.has(name)) ||
      name === ".git" ||
      name.endsWith(".before-firstlight")
    )
      continue;
    const path = `${below}/${name}`;
    const full = `${nixosDirectory}${path}`;
    const target = files.realPath(full);
    const stat = target === undefined ? undefined : files.stat(target);
    if (stat?.kind === "directory" && files.stat(full)?.kind === "directory")
      collect(files, path, found);
    else if (stat?.kind === "file") found.push(readOne(files, full, path.slice(1), stat.mode));
    if (found.length > maxFiles) throw tooMuch(`more than ${maxFiles} files`);
  }
}

function readOne(files: Files, full: string, path: string, mode: number): SourceFile {
  const bytes = files.read(full, { maxBytes }) ?? new Uint8Array();
  try {
    const content = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { path, content, mode: mode & 0o777 };
  } catch (cause) {
    throw new Fault("base/adopt", `${full}: expected UTF-8 text, got other bytes`, {
      cause,
      hint: "move files that are not part of the configuration out of /etc/nixos",
    });
  }
}

function tooMuch(what: string): Fault {
  return new Fault("base/adopt", `${nixosDirectory}: ${what}`, {
    hint: "move what is not part of the configuration out of /etc/nixos",
  });
}
