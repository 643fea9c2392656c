/** A token of the library. */
export interface Token {
  readonly type: string;
  readonly value: string;
}

/** Where a block of a template begins. */
export interface PlaceOfBlock {
  /** Index of its first character. */
  readonly start: number;
  /** Index behind its last. */
  readonly end: number;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** Whether it is what stands between `raw` and `endraw`, with both. */
  readonly isRaw: boolean;
}

/**
 * Places of the expressions and statements of a template in their order, ends of statements among
 * them; a `raw` counts as the expression that stands for it. A comment without an end is one more.
 */
export function placesOfBlocks(template: string): readonly PlaceOfBlock[] {
  const places: PlaceOfBlock[] = [];
  const opening =
    /\{#[\s\S]*?(?:#\}|$)|\{%[-+]?\s*raw\s*-?%\}[\s\S]*?\{%[-+]?\s*endraw\s*[-+]?%\}|\{[{%]/g;
  let [line, lineStart, counted] = [1, 0, 0];
  for (let found = opening.exec(template); found !== null; found = opening.exec(template)) {
    const [block] = found;
    const start = found.index;
    if (block.startsWith("{#") && block.length > 3 && block.endsWith("#}")) continue;
    for (; counted < start; counted++)
      if (template[counted] === "\n") [line, lineStart] = [line + 1, counted + 1];
    const isBlock = block === "{{" || block === "{%";
    const isRaw = !isBlock && block.startsWith("{%");
    if (isBlock) opening.lastIndex = endOfBlock(template, opening.lastIndex, block);
    const end = opening.lastIndex;
    places.push({ start, end, line, column: start - lineStart + 1, isRaw });
  }
  return places;
}

/** Behind a block that begins before `from`: texts and mappings in it may hold what ends others. */
function endOfBlock(template: string, from: number, opening: string): number {
  const piece = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|%\}|\}\}|[{}]/gs;
  piece.lastIndex = from;
  let depth = 0;
  for (let found = piece.exec(template); found !== null; found = piece.exec(template)) {
    const [text] = found;
    if (text === "{") depth += 1;
    else if (text === "%}" && opening === "{%") return piece.lastIndex;
    else if (text === "}}" && opening === "{{" && depth === 0) return piece.lastIndex;
    else if (text.startsWith("}") && depth > 0) {
      depth -= 1;
      piece.lastIndex = found.index + 1;
    }
  }
  return template.length;
}

/** For each part of a template that its tree has a node of, in order, the index of its block. */
export function blocksOfParts(tokens: readonly Token[]): readonly number[] {
  const parts: number[] = [];
  let block = -1;
  for (const [index, { type }] of tokens.entries()) {
    const opens = type === "OpenExpression" || type === "OpenStatement";
    if (opens) block += 1;
    const word = type === "OpenStatement" ? (tokens[index + 1]?.value ?? "") : "";
    const isPart = type === "Text" || type === "Comment" || opens;
    if (isPart && word !== "else" && !word.startsWith("end")) parts.push(block);
  }
  return parts;
}

/** Tokens as a parser is given them, with the index of the block that it has come to. */
export function watchTokens(tokens: readonly Token[]): {
  readonly tokens: readonly Token[];
  readonly reached: () => number;
} {
  let last = 0;
  const watched = new Proxy(tokens, {
    get(target, key) {
      const index = typeof key === "string" ? Number(key) : Number.NaN;
      if (index > last) last = index;
      return Reflect.get(target, key) as unknown;
    },
  });
  const reached = () =>
    tokens
      .slice(0, last + 1)
      .filter(({ type }) => type === "OpenExpression" || type === "OpenStatement").length - 1;
  return { tokens: watched, reached };
}
