import { createHash } from "node:crypto";
import type { Files } from "#core/io.ts";

const maxFileBytes = 64 * 1024 * 1024;
const maxDepth = 64;

/** Name of an object of Git: `commit`, `tree` or `blob`. */
export function objectId(kind: "commit" | "tree" | "blob", content: Uint8Array): string {
  return createHash("sha1").update(`${kind} ${content.length}\0`).update(content).digest("hex");
}

/**
 * Name of the tree that Git would make of a directory: of its files, links and what may be executed.
 * A repository with submodules has another one, which no directory says.
 */
export function treeOf(files: Files, directory: string, depth = 0): string {
  if (depth > maxDepth)
    throw new RangeError(`${directory}: more than ${maxDepth} directories deep`);
  const entries = files.list(directory).flatMap((name) => {
    const path = `${directory}/${name}`;
    const target = files.readLink(path);
    if (target !== undefined)
      return [{ mode: "120000", name, id: objectId("blob", Buffer.from(target)) }];
    const stat = files.stat(path);
    if (stat?.kind === "directory")
      return [{ mode: "40000", name, id: treeOf(files, path, depth + 1) }];
    const content = files.read(path, { maxBytes: maxFileBytes }) ?? new Uint8Array();
    const mode = ((stat?.mode ?? 0) & 0o111) === 0 ? "100644" : "100755";
    return [{ mode, name, id: objectId("blob", content) }];
  });
  const key = ({ mode, name }: { readonly mode: string; readonly name: string }) =>
    Buffer.from(mode === "40000" ? `${name}/` : name);
  const sorted = entries.sort((a, b) => Buffer.compare(key(a), key(b)));
  return objectId(
    "tree",
    Buffer.concat(
      sorted.flatMap(({ mode, name, id }) => [
        Buffer.from(`${mode} ${name}\0`),
        Buffer.from(id, "hex"),
      ]),
    ),
  );
}
