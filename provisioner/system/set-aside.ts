import path from "node:path";
import type { Files } from "#core/io.ts";

/** So many of a kind are kept. */
const mostKept = 3;

/** What is kept beside a file. */
export interface Aside {
  /** Part of the name, and what is counted. */
  readonly kind: "torn" | "damaged";
  readonly name: string;
  readonly bytes: string | Uint8Array;
}

/** Keeps bytes beside a file, and the newest of their kind with them; the path they have there. */
export function keepAside(files: Files, file: string, { kind, name, bytes }: Aside): string {
  const aside = `${file}.${kind}-${name}`;
  files.write(aside, bytes, { mode: 0o600 });
  dropOldest(files, `${file}.${kind}-`, aside);
  return aside;
}

/** Removes the oldest of the files whose names begin so, but never `spared`. */
export function dropOldest(files: Files, prefix: string, spared: string): void {
  const directory = path.posix.dirname(prefix);
  const kept = files
    .list(directory)
    .map((name) => `${directory}/${name}`)
    .filter((file) => file.startsWith(prefix) && file !== spared)
    .map((file) => ({ file, at: files.stat(file)?.modifiedMs ?? 0 }))
    .sort((a, b) => a.at - b.at);
  const tooMany = kept.length - (mostKept - 1);
  for (const { file } of kept.slice(0, Math.max(0, tooMany))) files.remove(file);
}
