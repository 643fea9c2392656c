import { tokenize } from "./library.ts";
import type { Token } from "./places.ts";

const opening: ReadonlySet<string | undefined> = new Set(["OpenStatement", "OpenExpression"]);

/**
 * Tokens of a template as Jinja2 has them with `trim_blocks`: a statement and a comment take the newline
 * that follows them with them, but for those that end with `+`; what looks like their end in the text
 * between them does not. The library's own `trim_blocks` goes by the look. Throws what the library throws.
 */
export function tokensOf(template: string): readonly Token[] {
  const all = tokenize(template, { trim_blocks: false });
  const tokens: Token[] = [];
  for (const [index, token] of all.entries()) {
    const [before, after] = [all[index - 1], all[index + 1]];
    const marksOpening = opening.has(before?.type) && token.value.startsWith("+");
    if (marksOpening && token.value !== "+") tokens.push({ ...token, value: token.value.slice(1) });
    const marks = marksOpening || (isPlus(token) && after?.type === "CloseStatement");
    if (marks) continue;
    const text = takesNewline(before, all[index - 2]) ? withoutNewline(token) : token;
    if (text !== undefined) tokens.push(text);
  }
  return tokens;
}

function isPlus({ type, value }: Token): boolean {
  return value === "+" && (type === "UnaryOperator" || type === "AdditiveBinaryOperator");
}

function takesNewline(token: Token | undefined, before: Token | undefined): boolean {
  if (token?.type === "CloseStatement") return before === undefined || !isPlus(before);
  return token?.type === "Comment" && !(token.value.length > 1 && token.value.endsWith("+"));
}

function withoutNewline(token: Token): Token | undefined {
  if (token.type !== "Text" || !token.value.startsWith("\n")) return token;
  return token.value === "\n" ? undefined : { ...token, value: token.value.slice(1) };
}
