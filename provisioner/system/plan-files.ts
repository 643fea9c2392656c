import type { Sources } from "#provisioner/render/sources.ts";
import type { Work } from "./work.ts";
import { listFiles, sourceText, writtenText } from "./write-sources.ts";

/** A file of the sources that differs from the running ones. */
export interface FileChange {
  readonly path: string;
  readonly change: "added" | "changed" | "removed";
}

/** Files by path: their bits and text; `undefined` of what cannot be read. */
type FileTexts = ReadonlyMap<string, string | undefined>;

/** Every file that differs, sorted by path. */
export function changedFiles(old: FileTexts, now: FileTexts): readonly FileChange[] {
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort();
  return paths.flatMap((path): readonly FileChange[] => {
    if (!old.has(path)) return [{ path, change: "added" }];
    if (!now.has(path)) return [{ path, change: "removed" }];
    return old.get(path) === now.get(path) ? [] : [{ path, change: "changed" }];
  });
}

/** Of sources that are on disk; none without sources. */
export function writtenTexts({ io, paths }: Work, digest: string | null): FileTexts {
  if (digest === null) return new Map();
  const directory = `${paths.sources}/${digest}`;
  return new Map(
    listFiles(io.files, directory).map((path) => [
      path,
      writtenText(io.files, `${directory}/${path}`),
    ]),
  );
}

/** Of sources that may not be on disk. */
export function sourceTexts({ files }: Sources): FileTexts {
  return new Map(files.map((file) => [file.path, sourceText(file)]));
}
