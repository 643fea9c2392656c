import { initrdSecretsProgram } from "#provisioner/render/initrd-secrets.ts";
import type { InitrdProgram } from "./commands.ts";
import type { Work } from "./work.ts";

/**
 * What brings the secrets of all initrds of the boot menu that a system writes, its own first. A menu
 * without its own, or those of a trial that is booted from it, may not be written; of a system that is
 * older they may be lost, and its entry is written without.
 */
export function initrdPrograms(
  { machine, storeFiles, paths }: Work,
  toplevel: string,
  trial: string | undefined = storeFiles.realPath(paths.trialProfile),
): readonly InitrdProgram[] {
  const needed = [toplevel, ...(trial === undefined ? [] : [trial])];
  const others = machine.generations().map((made) => made.toplevel);
  return [...new Set([...needed, ...others])]
    .map((system) => ({
      program: `${system}/${initrdSecretsProgram}`,
      needed: needed.includes(system),
    }))
    .filter(({ program }) => storeFiles.stat(program) !== undefined);
}
