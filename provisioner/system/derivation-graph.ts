import type { Files } from "#core/io.ts";
import type { PlannedBuild } from "./build-activity.ts";

/** More than a whole system has; a larger graph is shown without its edges. */
const maxDerivations = 5_000;
const maxBytes = 4 * 1024 * 1024;
/**
 * An input of a derivation in Nix's own notation: a path, then the list of its outputs (or, of what
 * is computed while building, a pair). In the texts of a derivation a quote has a backslash before it.
 */
const input = /\("((?:[^"\\]|\\.)*\.drv)",[[(]/g;

/**
 * The derivations that will be built as a tree below `system`: each hangs on the one nearest to the
 * system that needs it. What cannot be read hangs on the system itself.
 */
export function planBuilds(
  files: Files,
  system: string,
  derivations: readonly string[],
): readonly PlannedBuild[] {
  const parents = findParents(files, system, new Set(derivations));
  return derivations.map((derivation) => ({
    derivation,
    neededBy: derivation === system ? null : (parents.get(derivation) ?? system),
  }));
}

function findParents(
  files: Files,
  system: string,
  wanted: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const parents = new Map<string, string>();
  if (wanted.size > maxDerivations) return parents;
  let layer = [system];
  while (layer.length > 0) {
    const next: string[] = [];
    for (const parent of layer) {
      for (const needed of readInputs(files, parent)) {
        if (!wanted.has(needed) || needed === system || parents.has(needed)) continue;
        parents.set(needed, parent);
        next.push(needed);
      }
    }
    layer = next;
  }
  return parents;
}

function readInputs(files: Files, derivation: string): readonly string[] {
  try {
    const text = files.readText(derivation, { maxBytes }) ?? "";
    return [...text.matchAll(input)].map(([, path = ""]) => path);
  } catch {
    return []; // only for the picture: Nix itself says what is wrong with it
  }
}
