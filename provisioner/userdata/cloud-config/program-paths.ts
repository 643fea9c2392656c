import type { Input } from "../input.ts";

/** `/bin/sh` and `/usr/bin/env` are all that NixOS has in these directories. */
const programPath = /\/(?:usr\/(?:local\/)?)?s?bin\/(?!(?:sh|env)(?![\w.-]))[\w.-][\w.+/-]*/;

const whole = new RegExp(`^${programPath.source}$`);
const inText = new RegExp(`(?<=^|[\\s;&|("'\`])${programPath.source}`, "g");

/** Whether a program of other distributions is at this path, and none of NixOS. */
export function isProgramPath(path: string): boolean {
  return whole.test(path);
}

/** Paths of programs that a text of shell names, and where in it. */
export function programPathsIn(
  text: string,
): readonly { readonly path: string; readonly index: number }[] {
  return [...text.matchAll(inText)].map(({ 0: path, index }) => ({ path, index }));
}

/** Paths that a cloud-config writes itself, in both of its ways. */
export function writtenPaths(config: Input): ReadonlySet<string> {
  const files = [config.get("write_files"), config.get("firstlight")?.get("files")];
  const paths = files.flatMap((list) => list?.parts() ?? []).map((item) => item.get("path")?.value);
  return new Set(paths.filter((path) => typeof path === "string"));
}
