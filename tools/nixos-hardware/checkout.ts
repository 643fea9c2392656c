import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Need } from "#provisioner/profiles/declared.ts";

/** A module that the flake of nixos-hardware offers. */
export interface Module {
  /** Name among its outputs. */
  readonly name: string;
  /** Path in the tree, without `./`. */
  readonly path: string;
  /** Name for a person, from the table of its README; `null` where it stands in none. */
  readonly title: string | null;
}

// A file that is called with something is a tool of the tree.
const output =
  /^\s*([A-Za-z0-9_-]+) = (?:import|deprecated[^(]*\(\s*import) \.\/([^\s;)]+)\s*[;)]/gm;
const tableRow = /^\| *\[([^\]]+)\]\(\/?([^)]+)\)/gm;

/** The modules of a checkout in the order of its flake: machines and parts, deprecated ones left out. Throws where the flake has none. */
export function readModules(checkout: string): readonly Module[] {
  const titles = readTitles(checkout);
  const flake = readFileSync(join(checkout, "flake.nix"), "utf8");
  const modules = [...flake.matchAll(output)]
    .filter(([text]) => !text.includes("deprecated"))
    .map(([, name = "", path = ""]) => ({ name, path, title: titles.get(path) ?? null }));
  if (modules.length === 0)
    throw new Error(`${checkout}/flake.nix: expected outputs as \`name = import ./path\``);
  return modules;
}

function readTitles(checkout: string): ReadonlyMap<string, string> {
  const file = join(checkout, "README.md");
  if (!existsSync(file)) return new Map();
  const rows = readFileSync(file, "utf8").matchAll(tableRow);
  return new Map(
    [...rows].map(([, title = "", path = ""]) => [
      path.replace(/\/(?:default\.nix)?$/, ""),
      title.replaceAll("\\", "").trim(),
    ]),
  );
}

const needPatterns: readonly (readonly [Need, RegExp])[] = [
  [
    "unfree",
    /allowUnfree\s*=|enableAllFirmware\s*=|broadcom_sta|facetimehd\.enable = (?:lib\.mkDefault )?true|videoDrivers[^;]*"nvidia"|hardware\.nvidia\b|\bnvidia\s*=\s*\{/,
  ],
  ["kernel", /\bkernelPackages\s*=|\bkernelPatches\s*=|linuxPackagesFor/],
  ["boot-loader", /\bboot\.loader\b|\bloader\s*=\s*\{|\bloader\.(?:grub|systemd-boot|efi|generic)/],
  ["device-off", /ATTR\{remove\}\s*=\s*"1"/],
];

/**
 * What the text of a module and of everything that it names by path says of its needs. It reads no
 * Nix: a setting that a condition turns off counts, so that a need may be told too often, and never too
 * seldom for what these files set themselves.
 */
export function readNeeds(checkout: string, path: string): readonly Need[] {
  const text = readClosure(checkout, path);
  return needPatterns.filter(([, pattern]) => pattern.test(text)).map(([need]) => need);
}

/** Whether a module itself refuses to be imported, as those do whose variants are to be named instead. */
export function refusesImport(checkout: string, path: string): boolean {
  const file = moduleFile(join(checkout, path));
  return file !== undefined && /\bassertion = false;/.test(readFileSync(file, "utf8"));
}

/** Text of a module and of every file that it names by path, without comments. */
export function readClosure(checkout: string, path: string): string {
  return [...closureOf(checkout, path).values()].join("\n");
}

/** Text of a module and of every file that it names by path, by file, without comments. */
function closureOf(checkout: string, path: string): ReadonlyMap<string, string> {
  const seen = new Map<string, string>();
  const open = [join(checkout, path)];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const file = moduleFile(next);
    if (file === undefined || seen.has(file)) continue;
    const text = withoutComments(readFileSync(file, "utf8"));
    seen.set(file, text);
    const named = text.match(/(?<![\w"/$}.])\.{1,2}(?:\/[\w.+-]+)*/g) ?? [];
    open.push(...named.map((each) => join(file, "..", each)));
  }
  return seen;
}

function moduleFile(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const file = statSync(path).isDirectory() ? join(path, "default.nix") : path;
  return file.endsWith(".nix") && existsSync(file) ? file : undefined;
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)#.*$/gm, "$1");
}
