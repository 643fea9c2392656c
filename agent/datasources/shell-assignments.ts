/** Variables of a shell script by name, or why it is none that only sets them. */
export type ShellAssignments =
  | { readonly variables: ReadonlyMap<string, string> }
  | { readonly problem: string; readonly line: number };

const nothing = /[ \t\r]*(?:#[^\n]*)?(?:\n|$)/y;
const name = /[ \t]*(?:export[ \t]+)?([A-Za-z_]\w{0,255})=/y;
/** What a value is made of, and what each stands for. */
const pieces: readonly (readonly [pattern: RegExp, value: (written: string) => string])[] = [
  [/'([^']*)'/y, (written) => written],
  [/"([^"\\$`]*(?:\\[\s\S][^"\\$`]*)*)"/y, unescapeDouble],
  [/\\([\s\S])/y, (written) => (written === "\n" ? "" : written)],
  [/([^\s'"\\$`;&|<>()]+)/y, (written) => written],
];
const end = /[ \t]*;?[ \t\r]*(?:#[^\n]*)?(?:\n|$)/y;

/**
 * The assignments of a script as POSIX sh reads them (2.2 Quoting), without running anything: what
 * would be replaced or run (`$`, a backtick, another command) is a problem, not a value.
 */
export function readShellAssignments(text: string): ShellAssignments {
  const variables = new Map<string, string>();
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at += found[0].length;
    return found;
  };
  const problem = (what: string) => ({ problem: what, line: text.slice(0, at).split("\n").length });
  while (at < text.length) {
    if (take(nothing) !== null) continue;
    const key = take(name)?.[1];
    if (key === undefined) return problem("only NAME='VALUE' is read");
    const value = takeValue(take);
    if (take(end) === null) return problem(`${key}: its value is not one text in quotes`);
    variables.set(key, value);
  }
  return { variables };
}

function takeValue(take: (pattern: RegExp) => RegExpExecArray | null): string {
  const parts: string[] = [];
  for (;;) {
    const before = parts.length;
    for (const [pattern, value] of pieces) {
      const found = take(pattern);
      if (found !== null) parts.push(value(found[1] ?? ""));
    }
    if (parts.length === before) return parts.join("");
  }
}

/** In double quotes a backslash stands for itself, but before these. */
function unescapeDouble(text: string): string {
  return text.replace(/\\([$`"\\\n])/g, (_, character: string) =>
    character === "\n" ? "" : character,
  );
}
