import type { Files } from "#core/io.ts";
import type { SystemLink } from "./journal-record.ts";
import type { SystemPaths } from "./paths.ts";

/** A generation of the system profile, as its link says. */
export interface Generation {
  readonly generation: number;
  readonly toplevel: string;
  /** When the link was made, in milliseconds since 1970. */
  readonly madeMs: number;
}

/** Every generation of the system profile, oldest first; links that do not resolve are left out. */
export function readGenerations(files: Files, paths: SystemPaths): readonly Generation[] {
  const generations: Generation[] = [];
  for (const name of files.list(paths.profiles)) {
    const number = generationOf(name);
    const toplevel = number === null ? undefined : files.readLink(`${paths.profiles}/${name}`);
    if (number === null || toplevel === undefined) continue;
    const madeMs = files.stat(`${paths.profiles}/${name}`)?.modifiedMs ?? 0;
    generations.push({ generation: number, toplevel, madeMs });
  }
  return generations.sort((a, b) => a.generation - b.generation);
}

/** Where the system profile points: the boot default. */
export function readProfile(files: Files, paths: SystemPaths): SystemLink {
  const target = files.readLink(paths.profile);
  if (target === undefined) return { toplevel: null, generation: null };
  const name = target.slice(target.lastIndexOf("/") + 1);
  const generation = generationOf(name);
  if (generation === null) return { toplevel: target, generation: null };
  return { toplevel: files.readLink(`${paths.profiles}/${name}`) ?? null, generation };
}

function generationOf(name: string): number | null {
  const [, digits] = /^system-([0-9]{1,9})-link$/.exec(name) ?? [];
  return digits === undefined ? null : Number(digits);
}
