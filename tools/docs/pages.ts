import { codesPage } from "./codes.ts";

/** Every page that is made from code, by its path in the repository. */
export function generatedPages(): ReadonlyMap<string, string> {
  return new Map([["docs/codes.md", codesPage()]]);
}
