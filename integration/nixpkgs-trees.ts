import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

/** The tree of a whole nixpkgs that is named, if one is. */
export const nixpkgsTree = process.env["NIXPKGS"];

/** Release of that tree, as `20.09`: a newer one is greater. */
export function nixpkgsRelease(tree: string): string {
  const file = [".version", "lib/.version"]
    .map((name) => path.join(tree, name))
    .find((each) => existsSync(each));
  if (file === undefined) throw new Error(`${tree} is no nixpkgs: it has no .version`);
  return readFileSync(file, "utf8").trim();
}

/** The directory of a real lib that is named, by itself or in a tree. */
export const libTree = ((tree) => {
  if (tree === undefined) return undefined;
  return existsSync(path.join(tree, "lib")) ? path.join(tree, "lib") : tree;
})(process.env["NIXPKGS_LIB"]);

/** The Nix expression of a system of the stand-in with this configuration: `config` and `options`. */
export function standInSystemOf(entry: string): string {
  return `import <nixpkgs/nixos> { configuration = ${entry}; system = "x86_64-linux"; }`;
}

/** The same of the real nixpkgs that is named, with the lib that is named; else of the stand-in. */
export function systemOf(entry: string): string {
  if (nixpkgsTree === undefined) return standInSystemOf(entry);
  const lib = libTree === undefined ? "" : `lib = import ${libTree};`;
  const evaluate = path.join(import.meta.dirname, "real-nixpkgs");
  return `import ${evaluate} { nixpkgs = ${nixpkgsTree}; configuration = ${entry}; ${lib} }`;
}

/** The checkout of nixos-hardware that is named, if one is. */
export const nixosHardwareTree = process.env["NIXOS_HARDWARE"];
