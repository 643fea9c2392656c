import { list, type NixExpr } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign } from "../assignment.ts";

/** An option that is a list, where it has items. */
export function lists(option: readonly string[], items: readonly NixExpr[]): readonly Assignment[] {
  return items.length === 0 ? [] : [assign(option, list(items))];
}
