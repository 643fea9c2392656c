import { sha256 } from "#core/canonical-json.ts";
import type { Files } from "#core/io.ts";
import type { Assignment } from "#protocol/trust/assignment.ts";
import { documentsDirectory } from "./places.ts";

/** The document of a release that is kept here; `undefined` where it is not, or is not what was signed. */
export function keptDocument(
  files: Files,
  { length, sha256: digest }: Pick<Assignment["release"], "length" | "sha256">,
): string | undefined {
  return readIf(
    files,
    `${documentsDirectory}/${digest}`,
    length,
    (text) => sha256(text) === digest,
  );
}

/** A text of this length, where it is what is wanted. */
export function readIf(
  files: Files,
  path: string,
  length: number | undefined,
  isIt: (text: string) => boolean,
): string | undefined {
  const size = files.stat(path)?.size;
  if (size === undefined || (length !== undefined && size !== length)) return undefined;
  const text = files.readText(path, { maxBytes: Math.max(size, 1) });
  return text !== undefined && isIt(text) ? text : undefined;
}
