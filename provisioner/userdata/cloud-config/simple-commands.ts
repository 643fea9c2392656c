/** Where one command of a line of shell ends and another begins, quotes not looked at. */
const between = /;|&&|\|\|?|\n|\$\(|`/;

/** Words of shell that stand before a command, and programs that start the one that follows. */
const before =
  /^(?:[A-Za-z_]\w*=.*|if|then|else|elif|do|while|until|!|\{|time|exec|command|eval|nohup|env|sudo|doas|timeout|\d+[smhd]?|-.*|)$/;
const shells: ReadonlySet<string> = new Set(["sh", "bash", "dash", "ash", "zsh"]);

/**
 * The commands of a text of shell as their words: programs by their names alone, without what stands
 * before them. No parser: what a quoted text holds may be taken for a command.
 */
export function simpleCommands(text: string): readonly (readonly string[])[] {
  return text.split(between).flatMap((part) => {
    const words = part.trim().split(/\s+/);
    if (words[0]?.startsWith("#") === true) return [];
    return commandOf(words.map(withoutQuotes));
  });
}

/** The same of one command that is given as a list of words; a shell's `-c` is text again. */
export function commandsOfList(words: readonly string[]): readonly (readonly string[])[] {
  const at = words.findIndex((word) => shells.has(nameOf(word)));
  const isText = at >= 0 && /^-[a-z]*c$/.test(words[at + 1] ?? "");
  return isText ? simpleCommands(words[at + 2] ?? "") : commandOf(words);
}

function commandOf(words: readonly string[]): readonly (readonly string[])[] {
  const start = words.findIndex((word, at) => {
    const isValue = /^-[ugh]$/.test(words[at - 1] ?? "");
    return !before.test(word) && !isValue;
  });
  const [first = "", ...rest] = start < 0 ? [] : words.slice(start);
  const name = nameOf(first);
  if (name === "") return [];
  if (shells.has(name) && /^-[a-z]*c$/.test(rest[0] ?? "")) return commandOf(rest.slice(1));
  return [[name, ...rest]];
}

function nameOf(word: string): string {
  return word.replace(/^(?:\/usr)?(?:\/local)?\/s?bin\//, "");
}

function withoutQuotes(word: string): string {
  return word.replace(/^["'(]+|["')]+$/g, "");
}
