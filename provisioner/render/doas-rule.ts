/** A word, with whether it may be a keyword: one with quotes is text. `{` and `}` stand for themselves. */
interface Word {
  readonly text: string;
  readonly isPlain: boolean;
}

const keywords: ReadonlySet<string> = new Set([
  ...["permit", "deny", "as", "cmd", "args"],
  ...["nopass", "nolog", "persist", "keepenv", "setenv"],
]);

/** Bytes that doas holds of one word, and so many characters of it as are read, quotes included. */
const longestWord = 1023;
const longestPiece = 4 * longestWord;

/** A brace, or text with escapes in which quotes may open and close. */
const word = /^(?:[{}]|(?:\\.|("(?:\\.|[^"\\])*")|[^ \t{}#"\\])+)/s;

/**
 * Whether a line is a rule of doas, which has its user in it:
 * `permit [OPTIONS] USER [as TARGET] [cmd COMMAND [args …]]` (https://man.openbsd.org/doas.conf.5). Of a
 * file with a line that is none, doas takes nothing.
 */
export function isDoasRule(line: string): boolean {
  const words = wordsOf(line);
  return words !== undefined && (words.length === 0 || takesRule(words));
}

/** The words of a line up to a comment; none where a quote stays open or a word is too long. */
function wordsOf(line: string): readonly Word[] | undefined {
  const words: Word[] = [];
  let rest = withoutBlanks(line);
  while (rest !== "" && !rest.startsWith("#")) {
    const [all = "", quoted] = word.exec(rest.slice(0, longestPiece)) ?? [];
    const held = all.replaceAll(/\\(.)|"/gs, "$1");
    if (all === "" || Buffer.byteLength(held) > longestWord) return undefined;
    words.push({ text: all, isPlain: quoted === undefined && !all.includes('"') });
    rest = withoutBlanks(rest.slice(all.length));
  }
  return words;
}

function withoutBlanks(text: string): string {
  return text.replace(/^[ \t]+/, "");
}

function takesRule(words: readonly Word[]): boolean {
  const left = [...words];
  const takes = (keyword: string) => {
    const [next] = left;
    const isNext = next?.isPlain === true && next.text === keyword;
    if (isNext) left.shift();
    return isNext;
  };
  const takesText = () => {
    const [next] = left;
    if (next === undefined || isReserved(next)) return false;
    left.shift();
    return true;
  };
  if (takes("permit")) {
    if (!takesOptions(takes, takesText)) return false;
  } else if (!takes("deny")) return false;
  if (!takesText()) return false;
  if (takes("as") && !takesText()) return false;
  if (takes("cmd")) {
    if (!takesText()) return false;
    if (takes("args")) while (takesText());
  }
  return left.length === 0;
}

function takesOptions(takes: (keyword: string) => boolean, takesText: () => boolean): boolean {
  const found: string[] = [];
  for (;;) {
    const option = ["nopass", "nolog", "persist", "keepenv", "setenv"].find(takes);
    if (option === undefined) break;
    found.push(option);
    if (option !== "setenv") continue;
    if (!takes("{")) return false;
    while (takesText());
    if (!takes("}")) return false;
  }
  const isTwice = found.indexOf("setenv") !== found.lastIndexOf("setenv");
  return !isTwice && !(found.includes("nopass") && found.includes("persist"));
}

function isReserved({ text, isPlain }: Word): boolean {
  return isPlain && (keywords.has(text) || text === "{" || text === "}");
}
