import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { SourceFile, Sources } from "#provisioner/render/sources.ts";

const maxFiles = 10_000;
const maxBytes = 64 * 1024 * 1024;
const maxDepth = 32;

/**
 * Puts sources below `directory/<digest>`, whole or not at all, and never changes what is there: a
 * directory that no longer holds what its name says is kept aside and its new name given back.
 * Throws `system/sources-invalid`.
 */
export function writeSources(files: Files, directory: string, sources: Sources): string | null {
  check(sources);
  const place = `${directory}/${sources.digest}`;
  if (holds(files, place, sources)) return null;
  const staging = `${directory}/.${sources.digest}.new`;
  files.remove(staging);
  files.makeDirectory(directory); // synced, as everything below it is when it is whole
  for (const file of sources.files) {
    files.unsynced.write(`${staging}/${file.path}`, file.content, { mode: file.mode });
  }
  files.syncTree(staging);
  const edited = files.stat(place) === undefined ? null : freeName(files, `${place}.edited`);
  if (edited !== null) files.rename(place, edited);
  files.rename(staging, place);
  return edited;
}

/** The first of `name`, `name-2`, `name-3` … that nothing has yet. */
export function freeName(files: Files, name: string): string {
  for (let n = 2, free = name; ; n++) {
    if (files.stat(free) === undefined) return free;
    free = `${name}-${n}`;
  }
}

/** Every file below a directory by its path in there, sorted; links count as files. */
export function listFiles(files: Files, directory: string): readonly string[] {
  const found: string[] = [];
  const visit = (below: string, depth: number): void => {
    for (const name of files.list(`${directory}${below}`)) {
      const path = `${below}/${name}`;
      const kind = files.stat(`${directory}${path}`)?.kind;
      if (kind === "directory" && depth < maxDepth) visit(path, depth + 1);
      else found.push(path.slice(1));
      if (found.length > maxFiles) {
        throw new Fault("system/sources-invalid", `${directory}: more than ${maxFiles} files`);
      }
    }
  };
  visit("", 0);
  return found.sort();
}

/** A file as the plan compares it: its bits and its text. */
export function sourceText({ mode, content }: Pick<SourceFile, "mode" | "content">): string {
  return `${mode.toString(8)} ${content}`;
}

/** The same of a written file. */
export function writtenText(files: Files, path: string): string | undefined {
  const stat = files.stat(path);
  const content = stat?.kind === "file" ? files.readText(path, { maxBytes }) : undefined;
  return stat === undefined || content === undefined
    ? undefined
    : sourceText({ mode: stat.mode, content });
}

function holds(files: Files, place: string, sources: Sources): boolean {
  if (files.stat(place) === undefined) return false;
  const names = listFiles(files, place);
  return (
    names.length === sources.files.length &&
    sources.files.every((file) => writtenText(files, `${place}/${file.path}`) === sourceText(file))
  );
}

function check({ digest, files }: Sources): void {
  const refuse = (what: string): never => {
    throw new Fault("system/sources-invalid", `sources ${digest.slice(0, 64)}: ${what}`);
  };
  if (!/^[0-9a-f]{64}$/.test(digest)) refuse("expected a SHA-256 as digest");
  if (files.length > maxFiles) refuse(`${files.length} files, expected at most ${maxFiles}`);
  const seen = new Set<string>();
  let bytes = 0;
  for (const { path, content, mode } of files) {
    const parts = path.split("/");
    if (parts.some((part) => ["", ".", ".."].includes(part)) || path.includes("\0")) {
      refuse(`the path ${JSON.stringify(path)} does not stay below the sources`);
    }
    if (parts.length > maxDepth) refuse(`${path}: deeper than ${maxDepth} directories`);
    if (seen.has(path)) refuse(`${path} is there twice`);
    if (!Number.isInteger(mode) || mode < 0 || mode > 0o777) refuse(`${path}: mode ${mode}`);
    seen.add(path);
    bytes += content.length;
  }
  if (!seen.has("configuration.nix")) refuse("there is no configuration.nix");
  if (bytes > maxBytes) refuse(`${bytes} bytes, expected at most ${maxBytes}`);
}
