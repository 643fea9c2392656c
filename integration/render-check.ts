import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Sources } from "#provisioner/render/sources.ts";
import { nixParses } from "./nix-eval.ts";
import { checkOptions, loadOptionList } from "./option-list.ts";

/** What firstlight's own module and home-manager declare; NixOS's list has neither. */
const own: Readonly<Record<string, string>> = {
  "services.firstlight.enable": "boolean",
  "services.firstlight.package": "package",
  "services.firstlight.settings": "JSON value",
  "services.firstlight.pins": "attribute set of (submodule)",
  "services.firstlight.pins.<name>.storePath": "string",
  "services.firstlight.pins.<name>.narHash": "null or string",
  "services.firstlight.pins.<name>.revision": "null or string",
  "home-manager.users": "attribute set of anything",
};

const agentModuleText = readFileSync(new URL("../nixos/module.nix", import.meta.url), "utf8");
const options = loadOptionList(own);

/** Why options cannot be checked here, or `false`. */
export const skipWithoutOptions: string | false =
  options === undefined
    ? "SKIPPED: the option list is not on this machine (../shared/data)"
    : false;

/** What we printed ourselves: neither an adopted configuration nor what ships as it is. */
function printed({
  files,
}: Pick<Sources, "files">): readonly { readonly file: string; readonly text: string }[] {
  return files
    .filter(({ path: file }) =>
      /^(configuration|firstlight\/(instance|network|hardware))\.nix$/.test(file),
    )
    .map(({ path: file, content }) => ({ file, text: content }));
}

/**
 * Everything that real Nix and NixOS's own list of options have against rendered files: text that is
 * not Nix, options that do not exist, values of the wrong kind. Empty when all is well.
 */
export function complaintsAbout(sources: Pick<Sources, "files">): readonly string[] {
  const modules = printed(sources);
  const unread = modules.flatMap(({ file, text }) => {
    const { ok, complaint } = nixParses(text);
    return ok ? [] : [`${file}: ${complaint}`];
  });
  if (unread.length > 0 || options === undefined) return unread;
  return checkOptions(modules, options).map(({ file, message }) => `${file}: ${message}`);
}

/** The same of what was written to a directory, or published there. */
export function complaintsAboutDirectory(directory: string): readonly string[] {
  const names = ["configuration.nix", ...["instance", "network", "hardware"].map(inFirstlight)];
  const files = names.flatMap((name) => {
    const file = path.join(directory, name);
    return existsSync(file)
      ? [{ path: name, content: readFileSync(file, "utf8"), mode: 0o644 as const }]
      : [];
  });
  return files.length === 0 ? [`${directory}: nothing is there`] : complaintsAbout({ files });
}

function inFirstlight(name: string): string {
  return `firstlight/${name}.nix`;
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
