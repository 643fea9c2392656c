import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The two halves of the tests: what always runs, and what takes long. */
export const suites = { quick: "test", full: "test:full" } as const;

/** `quick` or `full`. */
export type Suite = keyof typeof suites;

/**
 * Test files of a suite, sorted: those that package.json's `tap.include` names, `*.full.test.ts`
 * in `full` and all others in `quick`. With `below`, only those whose path starts with one of them.
 */
export function testFiles(
  repository: string,
  suite: Suite,
  below: readonly string[] = [],
): readonly string[] {
  const manifest = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
    readonly tap: { readonly include: readonly string[] };
  };
  return globSync([...manifest.tap.include], { cwd: repository })
    .filter((path) => path.endsWith(".full.test.ts") === (suite === "full"))
    .filter((path) => below.length === 0 || below.some((start) => path.startsWith(start)))
    .sort();
}
