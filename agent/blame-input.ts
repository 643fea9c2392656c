import { type Fault, isFault } from "#core/fault.ts";
import type { Finding } from "#core/finding.ts";
import type { Manifest } from "#provisioner/render/manifest.ts";
import type { Sources } from "#provisioner/render/sources.ts";
import type { Origin, Translation } from "#provisioner/userdata/translation.ts";

/** What was evaluated, and the documents it came from. */
export interface Evaluated {
  readonly sources: Sources;
  readonly translation: Pick<Translation, "spec" | "origins">;
}

const maxBlamed = 10;

/**
 * The lines of the documents that an evaluation failed on: those that set an option which Nix names,
 * and those that asked for a package which nixpkgs does not have. None for any other error.
 */
export function blameInput(error: unknown, evaluated: Evaluated): readonly Finding[] {
  if (!isFault(error, "system/evaluation-failed")) return [];
  return [...blamedPackages(error, evaluated), ...blamedOptions(error, evaluated)].slice(
    0,
    maxBlamed,
  );
}

function blamedPackages({ message }: Fault, { translation }: Evaluated): readonly Finding[] {
  const [, missing] = /attribute '([^']+)' missing/.exec(message) ?? [];
  if (missing === undefined) return [];
  const { spec, origins } = translation;
  return (spec.packages ?? []).flatMap((name, index) => {
    if (!name.split(".").includes(missing)) return [];
    const path = `packages.${index}`;
    const words = `nixpkgs has no package \`${name}\``;
    const hint = "look its attribute up at search.nixos.org";
    return [finding(path, origins.get(path) ?? null, words, hint)];
  });
}

function blamedOptions({ message }: Fault, { sources }: Evaluated): readonly Finding[] {
  const manifest = sources.files.find(({ path }) => path === "firstlight/manifest.json");
  if (manifest === undefined) return [];
  const { options } = JSON.parse(manifest.content) as Pick<Manifest, "options">;
  const named = [...message.matchAll(/option [`'‘]([^`'’\n]+)['’]/g)].map(([, name = ""]) => name);
  const words = message.split("\n")[0]?.replace(/^[^ ]+\.nix(:[0-9]+)?: /, "") ?? "";
  return [...new Set(named)].flatMap((name) => {
    const setBy = Object.keys(options)
      .filter((option) => name === option || name.startsWith(`${option}.`))
      .sort((a, b) => b.length - a.length)[0];
    const origin = setBy === undefined ? null : (options[setBy] ?? null);
    return origin === null ? [] : [finding(name, origin, words, null)];
  });
}

function finding(
  path: string,
  origin: Origin | null,
  message: string,
  hint: string | null,
): Finding {
  return {
    document: origin?.document ?? "spec",
    path,
    line: origin?.line ?? null,
    column: origin?.column ?? null,
    level: "error",
    code: "system/evaluation-failed",
    message,
    hint,
  };
}
