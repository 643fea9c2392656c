import type { HintedText, Input } from "../input.ts";
import { isProgramPath } from "./program-paths.ts";
import { shellLine } from "./spec-command.ts";

/** Programs that start others, and that every NixOS has. */
const always: ReadonlySet<string> = new Set([
  ...["bash", "chrt", "env", "flock", "ionice", "nice", "nohup", "prlimit", "setsid", "sh"],
  ...["stdbuf", "systemd-run", "taskset", "timeout"],
]);

/** What cloud-init puts before the scripts of vendor-data, by `vendor_data: prefix`. */
export interface VendorPrefix {
  readonly words: readonly string[];
  /** What is said of the program where it is looked for somewhere else. */
  readonly problem?: HintedText;
}

/**
 * The words before each script of vendor-data, of both kinds: a text is one program, a list has its arguments as
 * well (`cc_scripts_vendor`). Numbers count as the texts that they are written as. `undefined` where it is of
 * another kind.
 */
export function readVendorPrefix(
  prefix: Input | undefined,
  written: ReadonlySet<string>,
): VendorPrefix | undefined {
  const given = prefix?.value ?? "";
  const items = typeof given === "string" ? (given === "" ? [] : [given]) : given;
  if (!Array.isArray(items)) return undefined;
  const words = items.map((item) => (Number.isInteger(item) ? String(item) : item));
  const [program = "", ...rest] = words;
  if (!words.every((word) => typeof word === "string" && !word.includes("\0"))) return undefined;
  if (words.length > 0 && !/^\S+$/.test(program)) return undefined;
  if (!isProgramPath(program) || written.has(program)) return { words };
  const name = program.slice(program.lastIndexOf("/") + 1);
  const found = { words: [name, ...rest] };
  if (always.has(name)) return found;
  const message = `NixOS has no program at this path: ${name} is looked for in PATH`;
  const hint = `write \`${name}\`, and name its package under \`packages\``;
  return { ...found, problem: { code: "cloud-config/program-path", message, hint } };
}

/** A script of sh that starts what it is given with these words before it. */
export function starterOf(words: readonly string[]): string {
  return `exec ${shellLine(words)} "$@"\n`;
}
