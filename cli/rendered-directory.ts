import { sha256 } from "#core/canonical-json.ts";
import { Fault, isFault } from "#core/fault.ts";
import { hostFiles } from "#core/host-files.ts";
import type { Files } from "#core/io.ts";
import type { SourceFile } from "#provisioner/render/sources.ts";
import { isDirectory } from "./path-kind.ts";

const manifestPath = "firstlight/manifest.json";
const maxBytes = 64 * 1024 * 1024;

/**
 * Writes rendered files to a directory, and removes what an earlier rendering wrote there and this
 * one does not. Whatever its manifest does not name, or has another content by now, is somebody
 * else's: it is left, and where it is in the way nothing is written. Throws `cli/usage`,
 * `io/write-failed`. Returns what an earlier rendering wrote and somebody has changed since.
 */
export function writeRendering(
  directory: string,
  rendered: readonly SourceFile[],
): readonly string[] {
  if (isDirectory("--out", directory) === false)
    throw new Fault("cli/usage", `--out: expected a directory, ${directory} is a file`, {
      hint: "give a directory, or a name that is not taken",
    });
  const files = hostFiles(directory, () => {});
  const earlier = readEarlier(files);
  const taken = rendered.find((file) => isTaken(files, file, earlier));
  if (taken !== undefined) {
    throw new Fault(
      "cli/usage",
      `${directory}: ${taken.path} is not as an earlier rendering left it`,
      {
        hint: "give another directory, or remove the file: it would be overwritten",
      },
    );
  }
  for (const file of rendered) writeBelow(directory, files, file);
  const now = new Set(rendered.map(({ path }) => path));
  const old = [...earlier].filter(([path]) => !now.has(path));
  const changed: string[] = [];
  for (const [path, digest] of old) {
    const found = digestOf(files, path);
    if (found === digest) files.remove(`/${path}`);
    else if (found !== undefined) changed.push(path);
  }
  return changed;
}

function writeBelow(directory: string, files: Files, { path, content, mode }: SourceFile): void {
  try {
    files.write(`/${path}`, content, { mode });
  } catch (cause) {
    if (!isFault(cause, "io/write-failed")) throw cause;
    throw new Fault("io/write-failed", `${directory}${cause.message}`, { cause: cause.cause });
  }
}

/** Digests of what an earlier rendering wrote, by path; none where there was none. */
function readEarlier(files: Files): ReadonlyMap<string, string> {
  const text = files.readText(`/${manifestPath}`, { maxBytes });
  if (text === undefined) return new Map();
  const named = parseManifest(text).filter(
    (entry): entry is [string, string] => isInside(entry[0]) && typeof entry[1] === "string",
  );
  return new Map(named.length === 0 ? [] : [...named, [manifestPath, sha256(text)]]);
}

function parseManifest(text: string): readonly (readonly [string, unknown])[] {
  try {
    const manifest = JSON.parse(text) as { readonly v?: unknown; readonly files?: unknown } | null;
    const { v, files } = manifest ?? {};
    return v === 1 && typeof files === "object" && files !== null ? Object.entries(files) : [];
  } catch {
    return [];
  }
}

/** A path that stays in the directory, and names a file in one way only. */
function isInside(path: string): boolean {
  return path.split("/").every((part) => !["", ".", ".."].includes(part)) && !path.includes("\0");
}

function isTaken(
  files: Files,
  { path, content }: SourceFile,
  earlier: ReadonlyMap<string, string>,
): boolean {
  if (files.stat(`/${path}`) === undefined) return false;
  const found = digestOf(files, path);
  return found === undefined || (found !== earlier.get(path) && found !== sha256(content));
}

/** Of a file's text; `undefined` where there is none, or something that is no file. */
function digestOf(files: Files, path: string): string | undefined {
  if (files.stat(`/${path}`)?.kind !== "file") return undefined;
  const text = files.readText(`/${path}`, { maxBytes });
  return text === undefined ? undefined : sha256(text);
}
