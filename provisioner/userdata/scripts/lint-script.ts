import { type Brought, problemsOfLine, type ShellProblem } from "../cloud-config/lint-line.ts";

/** Only the beginning of a script is looked at. */
const maxLines = 10_000;
/** As many as a person may read. */
const maxProblems = 50;

/** What is wrong with a script: in which of its lines, from 1, and at which of its characters, from 0. */
export interface ScriptProblem extends ShellProblem {
  readonly line: number;
}

/** What a script of shell does that cannot work on NixOS, each kind where it stands first. */
export function lintScript(text: string, brought: Brought): readonly ScriptProblem[] {
  const found = new Map<string, ScriptProblem>();
  let isEnd: ((line: string) => boolean) | undefined;
  let next = 0;
  for (const [number, line] of text.split("\n", maxLines).map(withoutReturn).entries()) {
    const start = next;
    next = text.indexOf("\n", start) + 1;
    if (isEnd !== undefined) {
      if (isEnd(line)) isEnd = undefined;
      continue;
    }
    if (number === 0 && line.startsWith("#!")) continue;
    for (const problem of problemsOfLine(line, brought)) {
      if (found.size < maxProblems && !found.has(problem.message)) {
        found.set(problem.message, {
          ...problem,
          line: number + 1,
          index: start + problem.index,
        });
      }
    }
    isEnd = endOfHereDocument(line);
  }
  return [...found.values()];
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

/** Which line ends a document that begins after this one: until then all is text, no command. */
function endOfHereDocument(line: string): ((line: string) => boolean) | undefined {
  const [, dash, , word] = /(?<!<)<<(-?)\s*(["']?)([A-Za-z_]\w{0,63})\2/.exec(line) ?? [];
  if (word === undefined) return undefined;
  return dash === "" ? (each) => each === word : (each) => each.replace(/^\t+/, "") === word;
}
