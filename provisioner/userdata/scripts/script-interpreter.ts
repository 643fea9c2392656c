import { isProgramPath } from "../cloud-config/program-paths.ts";
import type { FindingText } from "../input.ts";

/** How a script is started on NixOS. */
export interface StartedScript {
  /** `own`: by the program that its first line names. */
  readonly interpreter: "sh" | "bash" | "own";
  readonly text: string;
  /** What is said of its first line. */
  readonly problem?: FindingText;
}

/** The interpreter and its options in the first line of a script (execve(2), "Interpreter scripts"). */
const firstLine = /^#![ \t]*(\S{1,200})[ \t]*([^\r\n]{0,1000})/;
/** Options that `env -S` takes as they are. */
const plainOptions = /^[\w=./,+: -]*$/;

const shells: ReadonlyMap<string, "sh" | "bash"> = new Map([
  ["sh", "sh"],
  ["dash", "sh"],
  ["ash", "sh"],
  ["bash", "bash"],
]);

/** In every NixOS's PATH of a service, so that nothing need be said of them. */
const always: ReadonlySet<string> = new Set(["perl", "awk", "sed", ...shells.keys()]);

/**
 * A script as NixOS can start it: /bin/bash and the like are not there, so that a first line that
 * names them is changed to look in PATH. Lines keep their numbers.
 */
export function startScript(text: string): StartedScript {
  const [line, program = "", rest = ""] = firstLine.exec(text) ?? [];
  if (line === undefined) {
    const message = "the first line names no program that runs this script; sh does";
    const hint = "begin it with `#!/bin/sh`";
    return { interpreter: "sh", text, problem: { code: "user-data/interpreter", message, hint } };
  }
  const options = rest.trim();
  const isEnv = program === "/usr/bin/env";
  const name = isEnv ? options : program.slice(program.lastIndexOf("/") + 1);
  const shell = isEnv || options === "" ? shells.get(name) : undefined;
  if (shell !== undefined) return { interpreter: shell, text };
  if (!isProgramPath(program)) return { interpreter: "own", text };
  if (!plainOptions.test(options)) {
    const message =
      "NixOS has no interpreter at the path of the first line: the script cannot be started";
    const hint = `begin it with \`#!/usr/bin/env ${name}\``;
    return {
      interpreter: "own",
      text,
      problem: { code: "cloud-config/interpreter-path", message, hint },
    };
  }
  const started =
    options === "" ? `#!/usr/bin/env ${name}` : `#!/usr/bin/env -S ${name} ${options}`;
  const changed = { interpreter: "own", text: started + text.slice(line.length) } as const;
  if (always.has(name)) return changed;
  const message = `NixOS has no interpreter at the path of the first line: ${name} is looked for in PATH`;
  const hint = `begin it with \`#!/usr/bin/env ${name}\`, and name its package under \`packages\``;
  return { ...changed, problem: { code: "cloud-config/interpreter-path", message, hint } };
}

/** The same as a program of its own: whoever starts it is given its path and nothing else. */
export function asProgram({ interpreter, text, ...rest }: StartedScript): StartedScript {
  if (interpreter === "own") return { interpreter, text, ...rest };
  const line = interpreter === "sh" ? "#!/bin/sh" : "#!/usr/bin/env bash";
  const own = text.startsWith("#!") ? text.replace(/^[^\r\n]*/, line) : `${line}\n${text}`;
  return { ...rest, interpreter: "own", text: own };
}
