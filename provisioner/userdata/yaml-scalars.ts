import {
  describeCharacter,
  isBlankOrEnd,
  isBreak,
  isFlowIndicator,
  isLineEnd,
  isSpaceOrEnd,
  type YamlCursor,
} from "./yaml-text.ts";

/** Told, of each piece of a scalar's text that stands in the document as it is, where both begin. */
export type OnPiece = (inText: number, inDocument: number) => void;

const quote = 0x27;
const doubleQuote = 0x22;
const backslash = 0x5c;

/** What stands for one line break and the empty lines after it, inside a scalar that folds. */
function fold(first: string, emptyLines: string): string {
  if (first !== "\n") return first + emptyLines;
  return emptyLines === "" ? " " : emptyLines;
}

/** A plain scalar: its text, the offset after its last character, and whether a line ended after that. */
export interface PlainScalar {
  readonly text: string;
  readonly end: number;
  readonly lineEnded: boolean;
}

/**
 * Reads a plain scalar. In block context each further line must be indented by at least `indent`;
 * in flow context indentation does not count, and `?` ends it as PyYAML has it. Tabs end it too.
 */
export function scanPlain(
  cursor: YamlCursor,
  indent: number,
  inFlow: boolean,
  onPiece?: OnPiece,
): PlainScalar {
  let text = "";
  let gap = "";
  let end = cursor.pos;
  let lineEnded = false;
  for (;;) {
    const runEnd = plainRunEnd(cursor, inFlow);
    if (runEnd === cursor.pos) break;
    onPiece?.(text.length + gap.length, cursor.pos);
    text += gap + cursor.text.slice(cursor.pos, runEnd);
    cursor.pos = runEnd;
    end = runEnd;
    const line = cursor.line;
    gap = scanPlainGap(cursor);
    lineEnded = cursor.line !== line;
    if (gap === "" || cursor.code() === 0x23 || (!inFlow && cursor.column < indent)) break;
  }
  return { text, end, lineEnded };
}

function plainRunEnd(cursor: YamlCursor, inFlow: boolean): number {
  const { text } = cursor;
  for (let at = cursor.pos; ; at++) {
    const code = text.charCodeAt(at);
    if (isBlankOrEnd(code)) return at;
    if (code === 0x3a) {
      const next = text.charCodeAt(at + 1);
      if (isBlankOrEnd(next) || (inFlow && isFlowIndicator(next))) return at;
    } else if (inFlow && (code === 0x3f || isFlowIndicator(code))) {
      return at;
    }
  }
}

/** What stands for the white space here; empty where there is none or a document marker follows. */
function scanPlainGap(cursor: YamlCursor): string {
  const start = cursor.pos;
  cursor.skipSpaces();
  if (!isBreak(cursor.code())) return cursor.text.slice(start, cursor.pos);
  const first = cursor.takeBreak();
  let emptyLines = "";
  while (!cursor.atDocumentMarker()) {
    cursor.skipSpaces();
    if (!isBreak(cursor.code())) return fold(first, emptyLines);
    emptyLines += cursor.takeBreak();
  }
  return "";
}

/** Reads a scalar in single or double quotes. Indentation does not count inside. */
export function scanQuoted(cursor: YamlCursor, onPiece?: OnPiece): string {
  const start = cursor.pos;
  const mark = cursor.code();
  cursor.pos += 1;
  let text = "";
  for (;;) {
    const before = text.length;
    const onRun = onPiece && ((inRun: number, at: number) => onPiece(before + inRun, at));
    onRun?.(0, cursor.pos);
    text += mark === quote ? scanSingleRun(cursor, onRun) : scanDoubleRun(cursor, start, onRun);
    if (cursor.code() === mark) break;
    text += scanQuotedGap(cursor, start);
  }
  cursor.pos += 1;
  return text;
}

function scanSingleRun(cursor: YamlCursor, onPiece?: OnPiece): string {
  const start = cursor.pos;
  let doubled = 0;
  for (;;) {
    const code = cursor.code();
    if (code === quote) {
      if (cursor.code(1) !== quote) break;
      doubled += 1;
      cursor.pos += 2;
      onPiece?.(cursor.pos - start - doubled, cursor.pos);
    } else if (isBlankOrEnd(code)) {
      break;
    } else {
      cursor.pos += 1;
    }
  }
  const run = cursor.text.slice(start, cursor.pos);
  return doubled > 0 ? run.replaceAll("''", "'") : run;
}

function scanDoubleRun(cursor: YamlCursor, scalarStart: number, onPiece?: OnPiece): string {
  let text = "";
  let start = cursor.pos;
  for (;;) {
    const code = cursor.code();
    if (code === backslash) {
      text += cursor.text.slice(start, cursor.pos) + scanEscape(cursor, scalarStart);
      start = cursor.pos;
      onPiece?.(text.length, start);
    } else if (code === doubleQuote || isBlankOrEnd(code)) {
      return text + cursor.text.slice(start, cursor.pos);
    } else {
      cursor.pos += 1;
    }
  }
}

/** White space inside quotes: kept within a line, folded across lines. */
function scanQuotedGap(cursor: YamlCursor, scalarStart: number): string {
  const start = cursor.pos;
  skipBlanks(cursor);
  if (cursor.code() === 0) {
    cursor.fail("the quotes that open here are never closed", {
      at: scalarStart,
      hint: "Close them, or write a quote inside as '' or \\\".",
    });
  }
  if (!isBreak(cursor.code())) return cursor.text.slice(start, cursor.pos);
  const first = cursor.takeBreak();
  return fold(first, scanEmptyLines(cursor, scalarStart));
}

function scanEmptyLines(cursor: YamlCursor, scalarStart: number): string {
  let breaks = "";
  for (;;) {
    if (cursor.atDocumentMarker()) {
      cursor.fail("a document marker may not begin a line inside quotes", {
        at: scalarStart,
        hint: "Close the quotes before it, or indent the line.",
      });
    }
    skipBlanks(cursor);
    if (!isBreak(cursor.code())) return breaks;
    breaks += cursor.takeBreak();
  }
}

function skipBlanks(cursor: YamlCursor): void {
  while (cursor.code() === 0x20 || cursor.code() === 0x09) cursor.pos += 1;
}

const escapes: ReadonlyMap<string, string> = new Map([
  ["0", "\0"],
  ["a", "\u0007"],
  ["b", "\b"],
  ["t", "\t"],
  ["\t", "\t"],
  ["n", "\n"],
  ["v", "\v"],
  ["f", "\f"],
  ["r", "\r"],
  ["e", "\u001b"],
  [" ", " "],
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["N", "\u0085"],
  ["_", "\u00a0"],
  ["L", "\u2028"],
  ["P", "\u2029"],
]);
const hexadecimalLengths: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
  ["U", 8],
]);

/** Reads one escape of YAML 1.1 from its backslash on (https://yaml.org/spec/1.1/#c-escape). */
function scanEscape(cursor: YamlCursor, scalarStart: number): string {
  const at = cursor.pos;
  cursor.pos += 1;
  if (isBreak(cursor.code())) {
    cursor.takeBreak();
    return scanEmptyLines(cursor, scalarStart);
  }
  const letter = cursor.text.charAt(cursor.pos);
  cursor.pos += 1;
  const simple = escapes.get(letter);
  if (simple !== undefined) return simple;
  const length = hexadecimalLengths.get(letter);
  if (length === undefined) {
    const found = describeCharacter(cursor.text, at + 1);
    cursor.fail(`a backslash in double quotes must begin an escape, not be followed by ${found}`, {
      at,
      hint: "Write \\\\ for one backslash, or use single quotes.",
    });
  }
  const digits = cursor.text.slice(cursor.pos, cursor.pos + length);
  const point =
    /^[0-9a-fA-F]+$/.test(digits) && digits.length === length ? Number.parseInt(digits, 16) : -1;
  if (point < 0 || point > 0x10ffff) {
    cursor.fail(`\\${letter} must be followed by ${length} hexadecimal digits of a character`, {
      at,
      hint: "Write \\\\ for one backslash, or use single quotes.",
    });
  }
  cursor.pos += length;
  return String.fromCodePoint(point);
}

type Chomping = "strip" | "clip" | "keep";

/** Reads a literal (`|`) or folded (`>`) scalar whose parent is indented by `parentIndent`. */
export function scanBlock(cursor: YamlCursor, parentIndent: number, onPiece?: OnPiece): string {
  const folded = cursor.code() === 0x3e;
  cursor.pos += 1;
  const { chomping, increment } = scanBlockHeader(cursor);
  const least = Math.max(parentIndent + 1, 1);
  let empty: string;
  let indent: number;
  if (increment === 0) {
    const leading = scanLeadingLines(cursor);
    empty = leading.breaks;
    indent = Math.max(least, leading.indent);
  } else {
    indent = least + increment - 1;
    empty = scanBlockBreaks(cursor, indent);
  }
  let text = "";
  let lineBreak = "";
  while (cursor.column === indent && cursor.code() !== 0) {
    text += empty;
    const startsWithText = !isIndented(cursor.code());
    onPiece?.(text.length, cursor.pos);
    text += scanRestOfLine(cursor);
    lineBreak = cursor.takeBreak();
    empty = scanBlockBreaks(cursor, indent);
    if (cursor.column !== indent || cursor.code() === 0) break;
    const joins = folded && lineBreak === "\n" && startsWithText && !isIndented(cursor.code());
    if (!joins) text += lineBreak;
    else if (empty === "") text += " ";
    lineBreak = "";
  }
  if (chomping !== "strip") text += lineBreak;
  return chomping === "keep" ? text + empty : text;
}

function isIndented(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function scanRestOfLine(cursor: YamlCursor): string {
  const start = cursor.pos;
  while (!isLineEnd(cursor.code())) cursor.pos += 1;
  return cursor.text.slice(start, cursor.pos);
}

/** The header after `|` or `>` up to the end of its line; an increment of 0 means none was given. */
function scanBlockHeader(cursor: YamlCursor): { chomping: Chomping; increment: number } {
  let chomping: Chomping | undefined;
  let increment = 0;
  for (let count = 0; count < 2; count++) {
    const code = cursor.code();
    if (chomping === undefined && (code === 0x2b || code === 0x2d)) {
      chomping = code === 0x2b ? "keep" : "strip";
    } else if (increment === 0 && code >= 0x31 && code <= 0x39) {
      increment = code - 0x30;
    } else {
      break;
    }
    cursor.pos += 1;
  }
  if (!isSpaceOrEnd(cursor.code())) {
    const found = describeCharacter(cursor.text, cursor.pos);
    cursor.fail(
      `after | or > only + or - and an indentation from 1 to 9 may follow, not ${found}`,
      {
        hint: "Begin the text on the next line.",
      },
    );
  }
  cursor.skipSpaces();
  cursor.skipComment();
  if (!isLineEnd(cursor.code())) {
    const found = describeCharacter(cursor.text, cursor.pos);
    cursor.fail(`the text of a block scalar must begin on the next line, not with ${found} here`, {
      hint: "Begin the text on the next line, indented further than its key.",
    });
  }
  cursor.takeBreak();
  return { chomping: chomping ?? "clip", increment };
}

/** Empty lines before the first line of text, and the deepest indentation met on the way. */
function scanLeadingLines(cursor: YamlCursor): { breaks: string; indent: number } {
  let breaks = "";
  let indent = 0;
  for (;;) {
    cursor.skipSpaces();
    indent = Math.max(indent, cursor.column);
    if (!isBreak(cursor.code())) return { breaks, indent };
    breaks += cursor.takeBreak();
  }
}

function scanBlockBreaks(cursor: YamlCursor, indent: number): string {
  let breaks = "";
  for (;;) {
    while (cursor.column < indent && cursor.code() === 0x20) cursor.pos += 1;
    if (!isBreak(cursor.code())) return breaks;
    breaks += cursor.takeBreak();
  }
}
