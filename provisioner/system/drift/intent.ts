import path from "node:path";
import { sha256 } from "#core/canonical-json.ts";
import type { Files } from "#core/io.ts";
import { digestFiles, type SourceFile } from "#provisioner/render/sources.ts";
import type { SystemPaths } from "../paths.ts";
import { published } from "../publish.ts";
import { listFiles } from "../write-sources.ts";
import type { Declared, DriftItem } from "./report.ts";

const maxBytes = 64 * 1024 * 1024;
const manifestFile = "firstlight/manifest.json";

/** The sources on the disk, and what /etc/nixos says, against what was committed; no process. */
export function intentItems(
  files: Files,
  paths: SystemPaths,
  { sourcesDigest }: Declared,
): readonly DriftItem[] {
  if (sourcesDigest === null) return [];
  const directory = `${paths.sources}/${sourcesDigest}`;
  return [
    ...changedSources(files, directory, sourcesDigest),
    ...unpublished(files, paths, sourcesDigest),
    ...changedLocal(files, paths, directory),
  ];
}

function changedSources(files: Files, directory: string, digest: string): readonly DriftItem[] {
  const found = readSources(files, directory);
  if (digestFiles(found) === digest) return [];
  const recorded = recordedDigests(found);
  const names = new Set([...recorded.keys(), ...found.map((file) => file.path)]);
  names.delete(manifestFile);
  const byPath = new Map(found.map((file) => [file.path, file]));
  const differing = [...names].sort().filter((name) => {
    const file = byPath.get(name);
    return file === undefined || sha256(file.content) !== recorded.get(name);
  });
  // With every digest right it is the list of digests, or a file's mode, that was changed.
  const shown = recorded.size > 0 && differing.length > 0 ? differing : [manifestFile];
  return shown.map((name): DriftItem => {
    const file = byPath.get(name);
    const want = recorded.get(name);
    return {
      layer: "intent",
      kind: "source-changed",
      subject: `${directory}/${name}`,
      declared:
        want === undefined ? (file === undefined ? "there" : "not there") : `sha256 ${want}`,
      actual: file === undefined ? "not there" : `sha256 ${sha256(file.content)}`,
      since: changedAt(files, file === undefined ? directory : `${directory}/${name}`),
      by: null,
      level: "warning",
      remedy: "apply",
    };
  });
}

function readSources(files: Files, directory: string): readonly SourceFile[] {
  return listFiles(files, directory).map((name) => {
    const stat = files.stat(`${directory}/${name}`);
    const content =
      stat?.kind === "file" ? files.readText(`${directory}/${name}`, { maxBytes }) : "";
    return { path: name, content: content ?? "", mode: stat?.mode ?? 0 };
  });
}

/** What the rendering wrote down of each file; nothing where that cannot be read any more. */
function recordedDigests(found: readonly SourceFile[]): ReadonlyMap<string, string> {
  const text = found.find((file) => file.path === manifestFile)?.content;
  try {
    const value = JSON.parse(text ?? "") as { readonly files?: Readonly<Record<string, unknown>> };
    const entries = Object.entries(value.files ?? {});
    return new Map(
      entries.flatMap(([name, sum]) => (typeof sum === "string" ? [[name, sum]] : [])),
    );
  } catch {
    return new Map();
  }
}

function unpublished(files: Files, paths: SystemPaths, digest: string): readonly DriftItem[] {
  return published.flatMap((entry): readonly DriftItem[] => {
    const source = `${paths.sources}/${digest}/${entry}`;
    if (files.stat(source) === undefined) return [];
    const name = `${paths.etcNixos}/${entry}`;
    const target = files.readLink(name);
    const points = target === undefined ? undefined : path.posix.resolve(paths.etcNixos, target);
    if (points === source) return [];
    const kind = files.stat(name)?.kind;
    return [
      {
        layer: "intent",
        kind: "not-published",
        subject: name,
        declared: `a link to ${source}`,
        actual: points === undefined ? (kind ?? "not there") : `a link to ${points}`,
        since: changedAt(files, kind === undefined ? paths.etcNixos : name),
        by: null,
        level: "warning",
        remedy: "repair",
      },
    ];
  });
}

/** The owner's file is theirs to change: it takes effect with the next apply. */
function changedLocal(files: Files, paths: SystemPaths, directory: string): readonly DriftItem[] {
  const place = `${paths.etcNixos}/local.nix`;
  const now = files.readText(place, { maxBytes });
  const built = files.readText(`${directory}/local.nix`, { maxBytes });
  if (now === built) return [];
  const say = (text: string | undefined) =>
    text === undefined ? "not there" : `sha256 ${sha256(text)}`;
  return [
    {
      layer: "intent",
      kind: "local-changed",
      subject: place,
      declared: say(built),
      actual: say(now),
      since: changedAt(files, now === undefined ? paths.etcNixos : place),
      by: null,
      level: "note",
      remedy: "apply",
    },
  ];
}

/** When a file or link was last written, or `null`. */
export function changedAt(files: Files, name: string): string | null {
  const at = files.stat(name)?.modifiedMs;
  return at === undefined ? null : new Date(at).toISOString();
}
