import type { FindingText, Input } from "../input.ts";
import { foreignCommand } from "./foreign-commands.ts";
import { programPathsIn } from "./program-paths.ts";
import { commandsOfList, simpleCommands } from "./simple-commands.ts";

/** Only the beginning of a command is looked at. */
const maxLength = 10_000;

/**
 * Warns of what cannot work in a script on NixOS, of each kind once. The findings never repeat the
 * script. What the document writes itself is there.
 */
export function lintCommand(
  item: Input,
  words: readonly string[],
  written: ReadonlySet<string>,
): void {
  const text = words.join(" ").slice(0, maxLength);
  const commands = item.isList()
    ? commandsOfList(words.map((word) => word.slice(0, maxLength)))
    : simpleCommands(text);
  for (const each of problemsOf(text, commands, written)) item.add("warning", each);
}

/** What of a line of shell cannot work on NixOS, each kind once. */
export function problemsOfLine(line: string, written: ReadonlySet<string>): readonly FindingText[] {
  const text = line.slice(0, maxLength);
  return problemsOf(text, simpleCommands(text), written);
}

function problemsOf(
  text: string,
  commands: readonly (readonly string[])[],
  written: ReadonlySet<string>,
): readonly FindingText[] {
  const path: FindingText = {
    code: "cloud-config/program-path",
    message: "NixOS has no programs under /bin, /sbin and /usr but /bin/sh and /usr/bin/env",
    hint: "write the name of the program alone, and add its package",
  };
  const isThere = programPathsIn(text).every((each) => written.has(each));
  const found = commands.map(foreignCommand).filter((each) => each !== undefined);
  const byMessage = new Map(found.map((each) => [each.message, each]));
  return [...(isThere ? [] : [path]), ...byMessage.values()];
}
