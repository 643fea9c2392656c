import path from "node:path";
import type { Files } from "#core/io.ts";
import type { SystemPaths } from "./paths.ts";
import { freeName } from "./write-sources.ts";

/** What of the sources stands in /etc/nixos. */
export const published = ["configuration.nix", "firstlight"] as const;
const before = ".before-firstlight";

/**
 * Lets /etc/nixos describe the sources: links that are switched one by one, each atomically, and
 * resolve inside one directory. What a person had there is renamed to `NAME.before-firstlight` and
 * never lost. With `null` (a generation that firstlight did not make) our links go, and what was
 * there before stands in its place. Gives back the names under which things were kept.
 */
export function publishSources(
  files: Files,
  paths: SystemPaths,
  sourcesDigest: string | null,
): readonly string[] {
  const kept: string[] = [];
  const keep = (name: string): void => {
    const aside = freeName(files, `${name}${before}`);
    files.rename(name, aside);
    kept.push(aside);
  };
  if (files.stat(paths.etcNixos)?.kind === "link") keep(paths.etcNixos);
  for (const entry of published) {
    const name = `${paths.etcNixos}/${entry}`;
    const target = targetOf(files, paths, entry, sourcesDigest);
    const now = files.readLink(name);
    if (now === target && target !== undefined) continue;
    const ours = now !== undefined && isOurs(paths, entry, now);
    if (files.stat(name) !== undefined && !ours) {
      if (sourcesDigest === null) continue; // a person's own: it may well describe what runs
      keep(name);
    }
    if (target !== undefined) files.link(target, name);
    else if (ours) files.remove(name);
  }
  return kept;
}

/** Whether /etc/nixos describes the sources. */
export function isPublished(
  files: Files,
  paths: SystemPaths,
  sourcesDigest: string | null,
): boolean {
  return published.every((entry) => {
    const target = targetOf(files, paths, entry, sourcesDigest);
    return target === undefined || files.readLink(`${paths.etcNixos}/${entry}`) === target;
  });
}

function targetOf(
  files: Files,
  paths: SystemPaths,
  entry: string,
  sourcesDigest: string | null,
): string | undefined {
  if (sourcesDigest !== null) {
    const source = `${paths.sources}/${sourcesDigest}/${entry}`;
    return files.stat(source) === undefined
      ? undefined
      : path.posix.relative(paths.etcNixos, source);
  }
  const old = `${entry}${before}`;
  return files.stat(`${paths.etcNixos}/${old}`) === undefined ? undefined : old;
}

function isOurs(paths: SystemPaths, entry: string, target: string): boolean {
  const absolute = path.posix.resolve(paths.etcNixos, target);
  return absolute.startsWith(`${paths.sources}/`) || target === `${entry}${before}`;
}
