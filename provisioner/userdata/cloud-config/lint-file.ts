import type { Input } from "../input.ts";
import { lintText } from "./lint-command.ts";
import { isProgramPath } from "./program-paths.ts";

const shell = /^#![ \t]*\/(?:\S*\/)?(?:env[ \t]+(?:-S[ \t]+)?)?(?:ba|da|a|k|z)?sh\b/;
const unitPath =
  /^\/(?:etc|run|(?:usr\/)?lib)\/systemd\/system\/[^/]+\.(?:service|socket|mount|swap)$/;
/** A program that systemd starts, after the signs of systemd.service(5), "Command lines". */
const execLine = /^[ \t]*Exec[A-Za-z]+[ \t]*=[ \t]*[-@:+!|]*(\/\S+)/gm;

/** Warns of what cannot work in a file that is written as it stands: a script of shell, a unit of systemd. */
export function lintFile(path: string, content: Input, written: ReadonlySet<string>): void {
  const text = content.scalarText();
  if (shell.test(text)) lintText(content, { written });
  if (!unitPath.test(path)) return;
  for (const line of text.matchAll(execLine)) {
    const [whole, program = ""] = line;
    if (!isProgramPath(program) || written.has(program)) continue;
    content.cut(line.index + whole.length - program.length).add("warning", {
      code: "cloud-config/program-path",
      message: "NixOS has no program at the path that the unit starts",
      hint: `write \`/run/current-system/sw/bin/${program.slice(program.lastIndexOf("/") + 1)}\`, and add its package`,
    });
  }
}
