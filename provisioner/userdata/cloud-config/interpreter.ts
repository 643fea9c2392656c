import type { Input } from "../input.ts";
import { isProgramPath } from "./program-paths.ts";

/** Shells and the like that every NixOS has in its PATH. */
const always: ReadonlySet<string> = new Set(["bash", "sh", "perl", "awk", "sed"]);

/** The interpreter and its options in the first line of a script (execve(2), "Interpreter scripts"). */
const firstLine = /^#![ \t]*(\/[^\s]{1,200})[ \t]*([^\n]*)/;

/** Warns of a script that nothing can start, for its first line names no program of NixOS. */
export function warnOfInterpreter(
  input: Input,
  content: Uint8Array,
  written: ReadonlySet<string>,
): void {
  const head = Buffer.from(content.subarray(0, 512)).toString("latin1");
  const [, program = "", options = ""] = firstLine.exec(head) ?? [];
  if (!isProgramPath(program) || written.has(program)) return;
  const name = program.slice(program.lastIndexOf("/") + 1);
  const known = /^[a-z0-9.+-]+$/i.test(name) ? name : "NAME";
  const env = options.trim() === "" ? "#!/usr/bin/env" : "#!/usr/bin/env -S";
  const more = always.has(known) ? "" : ", and add its package";
  input.cut(0).add("warning", {
    code: "cloud-config/interpreter-path",
    message: "NixOS has no interpreter at the path of the first line: the script cannot be started",
    hint: `begin it with \`${env} ${known}\`${options.trim() === "" ? "" : " and its options"}${more}`,
  });
}
