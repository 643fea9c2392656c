import { type NixExpr, path } from "#provisioner/nix-language/tree.ts";
import type { Concern } from "./assignment.ts";
import type { SourceFile } from "./sources.ts";

/** Modules that documents hold: what is imported, and their files, as they were written. */
export interface RenderedModules {
  readonly imports: readonly NixExpr[];
  readonly files: readonly SourceFile[];
}

/** Each module as a file of its own; nothing is put into it, so that lines in errors of Nix are its own. */
export function renderModules({ spec }: Pick<Concern, "spec">): RenderedModules {
  const taken = new Set<string>();
  const files = (spec.modules ?? []).map(({ name, text }): SourceFile => {
    let file = name;
    for (let next = 2; taken.has(file); next++) file = `${name}-${next}`;
    taken.add(file);
    return { path: `firstlight/modules/${file}.nix`, content: text, mode: 0o644 };
  });
  return { imports: files.map((file) => path(`./${file.path}`)), files };
}
