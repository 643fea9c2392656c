import type { Files } from "#core/io.ts";
import { type MountLine, readMounts } from "#provisioner/render/mount-table.ts";

/** Where file systems of these types are mounted. */
export function mountPoints(files: Files, types: readonly string[]): readonly string[] {
  return readMounts(files)
    .filter(({ type }) => types.includes(type))
    .map(({ path }) => path);
}

/** The mount that a path lies on. */
export function mountOf(files: Files, place: string): MountLine | undefined {
  return readMounts(files)
    .filter(({ path }) => path === "/" || place === path || place.startsWith(`${path}/`))
    .sort((a, b) => b.path.length - a.path.length)[0];
}
