import type { PathPart } from "./input.ts";

/** Parts of a path: themselves, `*` for any, `#` for the index of a list. */
export type PathPattern = readonly string[];

/** Whether a path has exactly the parts that a pattern says. */
export function fitsPath(pattern: PathPattern, path: readonly PathPart[]): boolean {
  return (
    pattern.length === path.length &&
    pattern.every((part, index) => {
      const found = path[index];
      return part === "*" || part === found || (part === "#" && typeof found === "number");
    })
  );
}
