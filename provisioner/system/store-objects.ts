import { Fault } from "#core/fault.ts";
import type { ExecResult } from "#core/io.ts";
import type { StoreObject } from "./closure-difference.ts";
import type { CommandLine, CommandLines } from "./command-lines.ts";
import { nixFault } from "./nix-errors.ts";

/** Far below the kernel's limit for the arguments of one process. */
const pathsAtOnce = 5_000;

/** Asks Nix for the closure of each system, and once for the size of every path. */
export async function readStoreObjects(
  systems: readonly string[],
  lines: Pick<CommandLines, "requisites" | "sizes">,
  run: (line: CommandLine) => Promise<ExecResult>,
): Promise<readonly (readonly StoreObject[])[]> {
  const ask = async (line: CommandLine): Promise<readonly string[]> => {
    const result = await run(line);
    if (result.code !== 0) throw nixFault(result, line.argv.slice(0, 3).join(" "));
    return result.stdout.split("\n").filter((text) => text !== "");
  };
  const closures: (readonly string[])[] = [];
  for (const system of systems) closures.push(await ask(lines.requisites(system)));

  const paths = [...new Set(closures.flat())];
  const bytes = new Map<string, number>();
  for (let from = 0; from < paths.length; from += pathsAtOnce) {
    const some = paths.slice(from, from + pathsAtOnce);
    const sizes = await ask(lines.sizes(some));
    if (sizes.length !== some.length || !sizes.every((size) => /^[0-9]+$/.test(size))) {
      throw new Fault("system/nix-failed", `expected ${some.length} sizes, got ${sizes.length}`);
    }
    for (const [index, path] of some.entries()) bytes.set(path, Number(sizes[index]));
  }
  return closures.map((closure) => closure.map((path) => ({ path, bytes: bytes.get(path) ?? 0 })));
}
