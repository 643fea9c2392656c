import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { type DefinedOption, definedOptions } from "#provisioner/nix-language/defined-options.ts";
import { attrPath } from "#provisioner/nix-language/text.ts";
import type { NixExpr } from "#provisioner/nix-language/tree.ts";
import newerOptions from "./newer-options.json" with { type: "json" };

import {
  buildOptionTree,
  findOption,
  type OptionNode,
  type OptionPlace,
  placeOf,
} from "./option-tree.ts";
import type { OptionType } from "./option-types.ts";

/** A module to check; problems name the file. */
export interface CheckedModule {
  readonly file: string;
  readonly expr: NixExpr;
}

/** A definition that NixOS would refuse, or that sets nothing NixOS knows. */
export interface OptionProblem {
  readonly file: string;
  /** As Nix writes it: `users.users."a b".shell`; elements of lists as `[0]`. */
  readonly option: string;
  readonly problem: "unknown-option" | "unfit-value";
  readonly message: string;
}

/**
 * The folder with the real inputs that stay outside of the repository: `FIRSTLIGHT_SHARED_DATA`,
 * else `../shared/data` beside the repository. `undefined` where there is none.
 */
export function sharedDataDirectory(): string | undefined {
  const named = process.env["FIRSTLIGHT_SHARED_DATA"];
  const directory = named ?? fileURLToPath(new URL("../../../shared/data", import.meta.url));
  return existsSync(directory) ? directory : undefined;
}

/**
 * The options of NixOS (December 2024), what is newer (`newer-options.json`, each with its
 * source), and `own` ones: name -> type in words as in the NixOS manual. `undefined` where the
 * list is not on this machine: the caller then skips its test and says so.
 */
export function loadOptionList(own: Readonly<Record<string, string>> = {}): OptionNode | undefined {
  const directory = sharedDataDirectory();
  const file = directory === undefined ? undefined : `${directory}/nixos-options.json.gz`;
  if (file === undefined || !existsSync(file)) return undefined;
  const options: Record<string, string> = JSON.parse(
    gunzipSync(readFileSync(file)).toString("utf8"),
  );
  const newer = newerOptions.map(({ name, type }) => [name, type] as const);
  return buildOptionTree([...Object.entries(options), ...newer, ...Object.entries(own)]);
}

/** Every problem of every option that the modules set; empty when all are known and fit. */
export function checkOptions(
  modules: readonly CheckedModule[],
  options: OptionNode,
): readonly OptionProblem[] {
  return modules.flatMap(({ file, expr }) => {
    const problems = checkAll(definedOptions(expr), placeOf(options), "");
    return problems.map((problem) => ({ file, ...problem }));
  });
}

type Problem = Omit<OptionProblem, "file">;

function checkAll(
  defined: readonly DefinedOption[],
  start: OptionPlace,
  prefix: string,
): readonly Problem[] {
  return defined.flatMap((option) => checkOption(option, start, prefix));
}

function checkOption(
  defined: DefinedOption,
  start: OptionPlace,
  prefix: string,
): readonly Problem[] {
  const option = [prefix, attrPath(defined.path)].filter((part) => part !== "").join(".");
  const place = findOption(start, defined.path);
  if ("depth" in place) {
    const wrong = attrPath(defined.path.slice(place.depth, place.depth + 1));
    const names = place.near();
    const near = names.length === 0 ? "" : `; near: ${names.join(", ")}`;
    const message = `${option}: expected an option of NixOS, ${wrong} is none${near}`;
    return [{ option, problem: "unknown-option", message }];
  }
  if (!fits(defined, place)) {
    const message = `${option}: expected ${place.words}, got ${described(defined)}`;
    return [{ option, problem: "unfit-value", message }];
  }
  return checkElements(defined, place, option);
}

function described({ kind, text }: DefinedOption): string {
  return text === undefined
    ? `a value of kind ${kind}`
    : `the string ${JSON.stringify(text.slice(0, 60))}`;
}

function fits(value: DefinedOption, place: OptionPlace): boolean {
  const { node, type } = place;
  if (value.kind === "unknown") return true;
  if (type === undefined) return value.kind === "attrs" && node !== undefined;
  return fitsType(value, type);
}

function fitsType(value: DefinedOption, type: OptionType): boolean {
  switch (type.kind) {
    case "any":
      return true;
    case "union":
      return type.of.some((each) => fitsType(value, each));
    case "list":
      return value.kind === "list";
    case "attrs":
      return value.kind === "attrs";
    case "submodule":
      return value.kind === "attrs" || value.kind === "function";
    case "scalar":
      return type.accepts.includes(value.kind) || isPathText(value, type.accepts);
  }
}

/** Options of paths take texts that begin with a slash, options of packages store paths. */
function isPathText(value: DefinedOption, accepts: readonly string[]): boolean {
  if (value.kind !== "string") return false;
  if (accepts.includes("path")) return value.text === undefined || value.text.startsWith("/");
  return accepts.includes("package") && (value.text ?? "/nix/store/").startsWith("/nix/store/");
}

function checkElements(
  value: DefinedOption,
  place: OptionPlace,
  option: string,
): readonly Problem[] {
  const type = elementType(place.type);
  if (value.elements === undefined || type === undefined) return [];
  const start = { node: place.node?.element, type, words: `each element to fit ${place.words}` };
  return value.elements.flatMap((element, index) =>
    checkAll(element, start, `${option}[${index}]`),
  );
}

function elementType(type: OptionType | undefined): OptionType | undefined {
  if (type?.kind === "list") return type.of;
  if (type?.kind !== "union") return undefined;
  const types = type.of.flatMap((each) => elementType(each) ?? []);
  if (type.of.some((each) => each.kind === "any")) return { kind: "any" };
  return types.length === 0 ? undefined : { kind: "union", of: types };
}
