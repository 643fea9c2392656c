import { statSync } from "node:fs";
import { Fault } from "#core/fault.ts";

/** Why a path of the command line cannot be used. */
export function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return "does not exist";
  if (code === "EISDIR") return "is a directory, a file was expected";
  if (code === "EACCES" || code === "EPERM") return "this user may not read it";
  if (code === "ELOOP") return "is a symbolic link that leads back to itself";
  return `cannot be read (${code ?? String(error)})`;
}

/** Whether a path that a flag gives is a directory; `undefined` where nothing is there. Throws `cli/usage`. */
export function isDirectory(flag: string, path: string): boolean | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory();
  } catch (cause) {
    throw new Fault("cli/usage", `${flag}: ${JSON.stringify(path)} ${reasonOf(cause)}`, {
      cause,
      hint: "give another directory, or mend what is in its way",
    });
  }
}
