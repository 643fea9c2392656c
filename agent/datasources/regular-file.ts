import { Fault } from "#core/fault.ts";
import type { FileKind, Files } from "#core/io.ts";
import { quoted } from "./images/image.ts";

const kinds: Readonly<Record<FileKind, string>> = {
  file: "a file",
  directory: "a directory",
  link: "a link",
  block: "a block device",
  other: "a pipe, a socket or a device",
};

/**
 * The bytes of a file, links followed; `undefined` when there is nothing of that name. Throws
 * `datasource/malformed` for what is no regular file and for a link to nothing, `io/…`.
 */
export function readRegularFile(
  files: Files,
  path: string,
  maxBytes: number,
): Uint8Array | undefined {
  const real = files.realPath(path);
  if (real === undefined) {
    const target = files.readLink(path);
    if (target === undefined) return undefined;
    throw malformed(path, `a link to ${quoted(target)}, where nothing is`);
  }
  const { kind } = files.stat(real) ?? { kind: "file" };
  if (kind !== "file") throw malformed(path, kinds[kind]);
  return files.read(path, { maxBytes });
}

function malformed(path: string, found: string): Fault {
  return new Fault("datasource/malformed", `${path}: a regular file was expected, it is ${found}`, {
    hint: "put the document itself there",
  });
}
