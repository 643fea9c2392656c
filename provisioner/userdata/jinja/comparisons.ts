import type { Token } from "./places.ts";

/** Comparisons that follow another, as in `1 < x < 3`. */
export interface Chains {
  /** Operators whose left side is the right side of the comparison before them. */
  readonly chained: ReadonlySet<unknown>;
  /** Number of the first block with a `not in` that follows one: the parser drops that operator's token. */
  readonly unread?: number;
}

/**
 * Finds the chains among comparisons, which Python reads as `1 < x and x < 3`: in the library's tree
 * they look like `(1 < x) < 3`.
 */
export function chainsOf(tokens: readonly Token[]): Chains {
  const chained = new Set<unknown>();
  const follows: boolean[] = [];
  let block = -1;
  let unread: number | undefined;
  let isLoop = false;
  const last = () => follows.length - 1;
  const compare = (token: Token | undefined) => {
    if (follows[last()] === true && token === undefined) unread ??= block;
    if (follows[last()] === true) chained.add(token);
    follows[last()] = true;
  };
  for (const [index, token] of tokens.entries()) {
    const { type, value } = token;
    const before = tokens[index - 1];
    const isWord = type === "Identifier" && before?.type !== "Dot" && before?.type !== "Pipe";
    if (type === "OpenStatement" || type === "OpenExpression") {
      block += 1;
      isLoop = false;
    }
    if (type.startsWith("Open")) follows.push(false);
    else if (type.startsWith("Close")) follows.pop();
    else if (type === "ComparisonBinaryOperator") compare(token);
    else if (isWord && value === "for" && before?.type === "OpenStatement") isLoop = true;
    else if (isWord && value === "in" && isLoop) isLoop = false;
    else if (isWord && value === "in") compare(before?.value === "not" ? undefined : token);
    else if (endsComparison(token, isWord) && !isNotIn(token, tokens[index + 1]))
      follows[last()] = false;
  }
  return unread === undefined ? { chained } : { chained, unread };
}

function isNotIn({ value }: Token, next: Token | undefined): boolean {
  return value === "not" && next?.type === "Identifier" && next.value === "in";
}

function endsComparison({ type, value }: Token, isWord: boolean): boolean {
  return isWord ? words.has(value) : punctuation.has(type);
}

const words: ReadonlySet<string> = new Set(["and", "or", "not", "if", "else"]);
const punctuation: ReadonlySet<string> = new Set(["Comma", "Colon", "Equals"]);
