/** Where one command of a line of shell ends and another begins, quotes not looked at. */
const between = /;|&&|\|\|?|\n|\$\(|`/g;

/** Words of shell that stand before a command, and programs that start the one that follows. */
const before =
  /^(?:[A-Za-z_]\w*=.*|if|then|else|elif|do|while|until|!|\{|time|exec|command|eval|nohup|env|sudo|doas|timeout|\d+[smhd]?|-.*|)$/;
const shells: ReadonlySet<string> = new Set(["sh", "bash", "dash", "ash", "zsh"]);

/** A command as its words, and the character of its text where it begins. */
export interface SimpleCommand {
  readonly words: readonly string[];
  readonly index: number;
}

/**
 * The commands of a text of shell as their words: programs by their names alone, without what stands
 * before them. No parser: what a quoted text holds may be taken for a command.
 */
export function simpleCommands(text: string): readonly SimpleCommand[] {
  return partsOf(text).flatMap(({ part, from }) => {
    const spoken = part.trim();
    const words = spoken.split(/\s+/);
    if (words[0]?.startsWith("#") === true) return [];
    return commandOf(words.map(withoutQuotes), from + part.indexOf(spoken));
  });
}

function partsOf(text: string): readonly { readonly part: string; readonly from: number }[] {
  const ends = [...text.matchAll(between)].map(({ 0: sign, index }) => ({
    index,
    next: index + sign.length,
  }));
  const starts = [0, ...ends.map(({ next }) => next)];
  return starts.map((from, at) => ({ part: text.slice(from, ends[at]?.index), from }));
}

/** The same of one command that is given as a list of words; a shell's `-c` is text again. */
export function commandsOfList(words: readonly string[]): readonly SimpleCommand[] {
  const at = scriptInList(words);
  return at === undefined ? commandOf(words, 0) : simpleCommands(words[at] ?? "");
}

/** Which of the words is text for a shell again, as in `sh -c TEXT`. */
export function scriptInList(words: readonly string[]): number | undefined {
  const at = words.findIndex((word) => shells.has(nameOf(word)));
  const isText = at >= 0 && /^-[a-z]*c$/.test(words[at + 1] ?? "");
  return isText && words[at + 2] !== undefined ? at + 2 : undefined;
}

function commandOf(words: readonly string[], index: number): readonly SimpleCommand[] {
  const start = words.findIndex((word, at) => {
    const isValue = /^-[ugh]$/.test(words[at - 1] ?? "");
    return !before.test(word) && !isValue;
  });
  const [first = "", ...rest] = start < 0 ? [] : words.slice(start);
  const name = nameOf(first);
  if (name === "") return [];
  if (shells.has(name) && /^-[a-z]*c$/.test(rest[0] ?? "")) return commandOf(rest.slice(1), index);
  return [{ words: [name, ...rest], index }];
}

function nameOf(word: string): string {
  return word.replace(/^(?:\/usr)?(?:\/local)?\/s?bin\//, "");
}

function withoutQuotes(word: string): string {
  return word.replace(/^["'(]+|["')]+$/g, "");
}
