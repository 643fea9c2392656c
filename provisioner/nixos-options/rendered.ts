import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readPrinted } from "#provisioner/nix-language/read-printed.ts";
import { checkOptions, loadOptionList } from "./option-list.ts";

/** What firstlight's own module and home-manager declare; NixOS's list has neither. */
const own: Readonly<Record<string, string>> = {
  "services.firstlight.enable": "boolean",
  "services.firstlight.package": "package",
  "services.firstlight.settings": "JSON value",
  "services.firstlight.pins": "attribute set of (submodule)",
  "services.firstlight.pins._name_.storePath": "string",
  "services.firstlight.pins._name_.narHash": "null or string",
  "services.firstlight.pins._name_.revision": "null or string",
  "services.firstlight.metadataService.addresses": "list of string",
  "services.firstlight.metadataService.ports":
    "list of 16 bit unsigned integer; between 0 and 65535 (both inclusive)",
  "home-manager.useGlobalPkgs": "boolean",
  "home-manager.useUserPackages": "boolean",
  "home-manager.users": "attribute set of anything",
};

const options = loadOptionList(own);

/** Why options cannot be checked here, or `false`. */
export const skipWithoutOptions: string | false =
  options === undefined ? "the option list is not on this machine (../shared/data)" : false;

/** A rendered file; `path` is below the sources, `firstlight/instance.nix`. */
export interface RenderedFile {
  readonly path: string;
  readonly content: string;
}

const printed = /^(configuration|firstlight\/(instance|network|hardware|generation))\.nix$/;

/** The modules that we printed ourselves: neither an adopted configuration nor what ships as it is. */
export function printedModules(files: readonly RenderedFile[]): readonly RenderedFile[] {
  return files.filter(({ path }) => printed.test(path));
}

/**
 * Options in rendered files that NixOS does not have, and values of the wrong kind, each as a line of
 * text; empty when all is well, and where the list of options is not here. Throws for a printed file
 * that is not in the printer's own language.
 */
export function unfitOptions(files: readonly RenderedFile[]): readonly string[] {
  if (options === undefined) return [];
  const modules = printedModules(files).map(({ path: file, content }) => ({
    file,
    expr: readPrinted(content),
  }));
  return checkOptions(modules, options).map(({ file, message }) => `${file}: ${message}`);
}

/** Throws where {@link unfitOptions} finds anything: for the doors through which tests render. */
export function holdToOptions(files: readonly RenderedFile[]): void {
  const unfit = unfitOptions(files);
  if (unfit.length > 0) throw new Error(`rendered what NixOS does not have: ${unfit.join("; ")}`);
}

/** {@link holdToOptions} of every file that was rendered into a directory; nothing where it is not there. */
export function holdDirectoryToOptions(directory: string): void {
  if (!existsSync(directory)) return;
  const paths = readdirSync(directory, { recursive: true, encoding: "utf8" });
  const modules = printedModules(paths.map((path) => ({ path, content: "" })));
  holdToOptions(
    modules.map(({ path }) => ({ path, content: readFileSync(join(directory, path), "utf8") })),
  );
}

/** {@link holdToOptions} of all sources that a machine keeps; `root` is where its files lie. */
export function holdMachineToOptions(root: string): void {
  const sources = join(root, "var/lib/firstlight/sources");
  if (!existsSync(sources)) return;
  for (const digest of readdirSync(sources)) holdDirectoryToOptions(join(sources, digest));
}
