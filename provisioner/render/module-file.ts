import { isTakeOver } from "#provisioner/nix-language/from-json.ts";
import { optionEntries } from "#provisioner/nix-language/option-set.ts";
import { print } from "#provisioner/nix-language/print.ts";
import {
  attrs,
  bind,
  blank,
  type Comment,
  list,
  moduleOf,
  type NixExpr,
} from "#provisioner/nix-language/tree.ts";
import { type Assignment, addFinding, type Concern } from "./assignment.ts";
import type { SourceFile } from "./sources.ts";

/** A module of NixOS that is printed to a file of its own. */
export interface ModuleFile {
  /** Path below the sources directory. */
  readonly path: string;
  readonly header: string;
  readonly imports?: readonly (NixExpr | Comment)[];
  readonly assignments: readonly Assignment[];
}

/** The module as a file; `undefined` where it says nothing. */
export function moduleFile(module: ModuleFile): SourceFile | undefined {
  const { path, header, imports = [], assignments } = module;
  if (assignments.length === 0 && imports.length === 0) return undefined;
  const head = imports.length === 0 ? [] : [bind("imports", list(imports)), blank];
  const body = attrs([...head, ...optionEntries(assignments)]);
  const content = print(moduleOf(usedArguments(body), body), { header });
  return { path, content, mode: 0o644 };
}

/** What can be said in a module; a name that NixOS obeys instead of taking it as one is a finding. */
export function withoutTakeOver(
  concern: Concern,
  assignments: readonly Assignment[],
): readonly Assignment[] {
  const said = new Set<string>();
  return assignments.filter(({ path, from = [] }) => {
    const obeyed = path.find((part) => isTakeOver(part));
    if (obeyed === undefined) return true;
    const place = [...from.slice(0, 2)];
    if (said.has(place.join("\0"))) return false;
    said.add(place.join("\0"));
    const message = `expected a name, got \`${obeyed}\`, which NixOS obeys`;
    addFinding(concern, place, "error", "nix/take-over-key", message, "choose another name");
    return false;
  });
}

/** Arguments of the module that its body mentions, in the order of the field. */
function usedArguments(body: NixExpr): readonly string[] {
  const used = new Set<string>();
  collectVariables(body, used);
  return ["config", "lib", "pkgs", "modulesPath"].filter((name) => used.has(name));
}

function collectVariables(part: unknown, used: Set<string>): void {
  if (typeof part !== "object" || part === null) return;
  if ("kind" in part && part.kind === "reference" && "path" in part && Array.isArray(part.path)) {
    used.add(String(part.path[0]));
    return;
  }
  for (const inner of Object.values(part)) collectVariables(inner, used);
}
