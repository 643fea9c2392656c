import type { PlainData } from "#provisioner/nix-language/from-json.ts";
import { readPrinted } from "#provisioner/nix-language/read-printed.ts";
import { toData } from "#provisioner/nix-language/to-data.ts";
import type { NixExpr } from "#provisioner/nix-language/tree.ts";
import { generationRecordFile } from "./generation-record.ts";

/**
 * The record in a rendered `firstlight/generation.nix`, as Nix makes it, without a process of Nix.
 * `undefined` where none is in it.
 */
export function printedRecord(module: string): PlainData | undefined {
  const value = boundIn(readPrinted(module), [
    "environment",
    "etc",
    generationRecordFile.slice("etc/".length),
    "text",
  ]);
  const [given] = value?.kind === "call" ? value.args : [];
  return given === undefined ? undefined : toData(given);
}

/** What a module sets an option to, however its path is divided over sets. */
function boundIn(expr: NixExpr, path: readonly string[]): NixExpr | undefined {
  if (path.length === 0) return expr;
  if (expr.kind === "lambda") return boundIn(expr.body, path);
  if (expr.kind !== "attrs") return undefined;
  for (const entry of expr.entries) {
    if (entry.kind !== "binding") continue;
    if (!entry.path.every((name, index) => name === path[index])) continue;
    const found = boundIn(entry.value, path.slice(entry.path.length));
    if (found !== undefined) return found;
  }
  return undefined;
}
