import type { HintedText } from "../input.ts";
import { enabledBy } from "./enabled-units.ts";
import { fetchedScript, foreignCommand } from "./foreign-commands.ts";
import { programPathsIn } from "./program-paths.ts";
import { type SimpleCommand, simpleCommands } from "./simple-commands.ts";

/** Only the beginning of a line is looked at. */
export const maxLength = 10_000;

/** What is wrong with a text of shell, and the character of it where that begins, from 0. */
export interface ShellProblem extends HintedText {
  readonly index: number;
}

/** What a document brings by itself, for the commands of a text. */
export interface Brought {
  /** Paths that it writes. */
  readonly written: ReadonlySet<string>;
  /** Units that the text may enable. */
  readonly units?: ReadonlySet<string>;
}

/** What of a line of shell cannot work on NixOS, each kind once. */
export function problemsOfLine(line: string, brought: Brought): readonly ShellProblem[] {
  const text = line.slice(0, maxLength);
  return problemsOf(text, simpleCommands(text), brought);
}

/** The same of commands that have been read already, with the text of all of them. */
export function problemsOf(
  text: string,
  commands: readonly SimpleCommand[],
  { written, units = new Set() }: Brought,
): readonly ShellProblem[] {
  const absent = programPathsIn(text).find(({ path }) => !written.has(path));
  const found = new Map<string, ShellProblem>();
  const fetched = fetchedScript(text);
  if (fetched !== undefined) found.set(fetched.message, fetched);
  for (const command of commands) {
    const { words, index } = command;
    if (enabledBy(command, text, units).length > 0) continue;
    const problem = foreignCommand(words);
    if (problem !== undefined && !found.has(problem.message)) {
      found.set(problem.message, { ...problem, index });
    }
  }
  return [
    ...(absent === undefined ? [] : [{ ...noProgram, index: absent.index }]),
    ...found.values(),
  ];
}

const noProgram: HintedText = {
  code: "cloud-config/program-path",
  message: "NixOS has no programs under /bin, /sbin and /usr but /bin/sh and /usr/bin/env",
  hint: "write the name of the program alone, and add its package",
};
