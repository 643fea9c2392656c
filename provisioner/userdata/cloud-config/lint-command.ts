import type { Input } from "../input.ts";
import { lintScript } from "../scripts/lint-script.ts";
import { type Brought, maxLength, problemsOf } from "./lint-line.ts";
import { commandsOfList, scriptInList } from "./simple-commands.ts";

/**
 * Warns of what cannot work in a command on NixOS, of each kind once, where it stands in the text: a
 * line of shell, a script, or a list of `words`. The findings never repeat the text. What the document
 * brings itself is there.
 */
export function lintCommand(item: Input, words: readonly string[], brought: Brought): void {
  if (!item.isList()) {
    lintText(item, brought);
    return;
  }
  const short = words.map((word) => word.slice(0, maxLength));
  const at = scriptInList(short);
  const script = at === undefined ? undefined : item.parts()[at];
  const said = script === undefined ? [] : lintText(script, { written: brought.written });
  const others = short.filter((_, index) => script === undefined || index !== at);
  const commands = script === undefined ? commandsOfList(short) : [];
  for (const problem of problemsOf(others.join(" "), commands, brought)) {
    if (!said.includes(problem.message)) item.add("warning", problem);
  }
}

/** Says what is wrong with a text of shell; the messages come back. */
export function lintText(input: Input, brought: Brought): readonly string[] {
  return lintScript(input.scalarText(), brought).map((problem) => {
    input.cut(problem.index).add("warning", problem);
    return problem.message;
  });
}
