import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { printedModules, unfitOptions } from "#provisioner/nixos-options/rendered.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import { nixParses } from "./nix-eval.ts";

const agentModuleText = readFileSync(new URL("../nixos/module.nix", import.meta.url), "utf8");

/**
 * Everything that real Nix and NixOS's own list of options have against rendered files: text that is
 * not Nix, options that do not exist, values of the wrong kind. Empty when all is well.
 */
export function complaintsAbout({ files }: Sources): readonly string[] {
  const unread = printedModules(files).flatMap(({ path: file, content }) => {
    const { ok, complaint } = nixParses(content);
    return ok ? [] : [`${file}: ${complaint}`];
  });
  return unread.length > 0 ? unread : unfitOptions(files);
}

/** Writes sources below a directory, with nixos/module.nix beside them, and says where the entry is. */
export function writeRendered(directory: string, { files }: Sources): string {
  const module = { path: "firstlight/agent/module.nix", content: agentModuleText };
  for (const { path: file, content } of [module, ...files]) {
    const target = path.join(directory, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
  return path.join(directory, "configuration.nix");
}
