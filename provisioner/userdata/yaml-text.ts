import type { Code } from "#core/codes.ts";

/** What stops a document from being read. Thrown only inside the reader; outside it is a finding. */
export class YamlProblem extends Error {
  readonly code: Code;
  /** Where in the prepared text, in UTF-16 units. */
  readonly offset: number;
  readonly hint: string;

  constructor(code: Code, offset: number, message: string, hint: string) {
    super(message);
    this.name = "YamlProblem";
    this.code = code;
    this.offset = offset;
    this.hint = hint;
  }
}

const byteOrderMark = 0xfeff;
const refusedCharacter = /[^\t\n -~\u{a0}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;

/**
 * The text as the scanner wants it: every line break that YAML 1.1 reads as a newline is `\n`
 * (U+2028 and U+2029 stay, they keep their identity in scalars), and one NUL marks the end.
 * Lines and columns are those of the original.
 */
export function prepareText(text: string): string {
  return `${/[\r\u0085]/.test(text) ? text.replace(/\r\n?|\u0085/g, "\n") : text}\0`;
}

/**
 * Throws {@link YamlProblem} at a character of prepared text that no YAML document may hold
 * (control characters, lone surrogates).
 */
export function refuseCharacters(prepared: string): void {
  const refused = refusedCharacter.exec(prepared);
  if (refused === null || refused.index === prepared.length - 1) return;
  const name = (refused[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  throw new YamlProblem(
    "yaml/invalid",
    refused.index,
    `the character U+${name} may not stand in a document`,
    'Write it as an escape in double quotes, for example "\\x07".',
  );
}

export function isBreak(code: number): boolean {
  return code === 0x0a || code === 0x2028 || code === 0x2029;
}

/** A line break or the end of the text. */
export function isLineEnd(code: number): boolean {
  return code === 0 || isBreak(code);
}

/** A space, a line break or the end of the text. */
export function isSpaceOrEnd(code: number): boolean {
  return code === 0x20 || isLineEnd(code);
}

/** A space, a tab, a line break or the end of the text. */
export function isBlankOrEnd(code: number): boolean {
  return code === 0x20 || code === 0x09 || isLineEnd(code);
}

/** An ASCII letter or digit, `-` or `_`: what names of anchors, tag handles and directives are made of. */
export function isWordCharacter(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === 0x5f
  );
}

/** One of `,` `[` `]` `{` `}`. */
export function isFlowIndicator(code: number): boolean {
  return code === 0x2c || code === 0x5b || code === 0x5d || code === 0x7b || code === 0x7d;
}

/** A place in prepared text that moves forward and knows its line and column (both from 0). */
export class YamlCursor {
  readonly text: string;
  pos = 0;
  line = 0;
  /** Offset of the first character of the line. */
  lineStart = 0;
  private readonly widths: Widths;

  constructor(prepared: string) {
    this.text = prepared;
    this.widths = widthsOf(prepared);
    if (prepared.charCodeAt(0) === byteOrderMark) {
      this.pos = 1;
      this.lineStart = 1;
    }
  }

  /** UTF-16 unit `ahead` of here; 0 at the end. */
  code(ahead = 0): number {
    return this.text.charCodeAt(this.pos + ahead);
  }

  /** Column from 0, in UTF-16 units: nothing that can be indented stands after a wider character. */
  get column(): number {
    return this.pos - this.lineStart - this.widths.marks(this.lineStart, this.pos);
  }

  /** Characters from an offset to here. */
  charactersFrom(offset: number): number {
    return this.pos - offset - this.widths.pairs(offset, this.pos);
  }

  skipSpaces(): void {
    while (this.code() === 0x20) this.pos += 1;
  }

  /** Moves to the end of the line when a comment begins here. */
  skipComment(): void {
    if (this.code() !== 0x23) return;
    while (!isLineEnd(this.code())) this.pos += 1;
  }

  /** Moves over one line break and returns it; an empty string where there is none. */
  takeBreak(): string {
    const code = this.code();
    if (!isBreak(code)) return "";
    this.pos += 1;
    this.line += 1;
    this.lineStart = this.pos;
    return code === 0x0a ? "\n" : String.fromCharCode(code);
  }

  /** Whether `---` or `...` stands here alone; the caller knows that the line begins here. */
  atDocumentMarker(): boolean {
    const code = this.code();
    if (code !== 0x2d && code !== 0x2e) return false;
    return this.code(1) === code && this.code(2) === code && isBlankOrEnd(this.code(3));
  }

  fail(message: string, options: { readonly at?: number; readonly hint: string }): never {
    throw new YamlProblem("yaml/invalid", options.at ?? this.pos, message, options.hint);
  }
}

/** Name of what stands at an offset, for messages. */
export function describeCharacter(text: string, offset: number): string {
  const code = text.codePointAt(offset) ?? 0;
  if (code === 0) return "the end of the document";
  if (code === 0x09) return "a tab";
  if (code === 0x20) return "a space";
  if (isBreak(code)) return "the end of the line";
  return `\`${String.fromCodePoint(code)}\``;
}

/** Turns offsets of a text into places. */
export interface LineTable {
  /** Line from 1. */
  lineOf(offset: number): number;
  /** Line, and column in characters, both from 1. */
  place(offset: number): { readonly line: number; readonly column: number };
}

/** The lines of prepared text. */
export function lineTable(prepared: string): LineTable {
  let starts: readonly number[] | undefined;
  const widths = widthsOf(prepared);
  const lineOf = (offset: number) => {
    starts ??= lineStarts(prepared);
    return lastAtMost(starts, offset) + 1;
  };
  return {
    lineOf,
    place(offset) {
      const line = lineOf(offset);
      const start = starts?.[line - 1] ?? 0;
      const column = offset - start - widths.pairs(start, offset) - widths.marks(start, offset) + 1;
      return { line, column };
    },
  };
}

/** Characters whose width is not one UTF-16 unit, counted between two offsets. */
interface Widths {
  /** Surrogate pairs: one character, two units. */
  pairs(from: number, to: number): number;
  /** Byte order marks: no column, one unit. */
  marks(from: number, to: number): number;
}

function widthsOf(text: string): Widths {
  return {
    pairs: countBetween(text, /[\ud800-\udbff]/g),
    marks: countBetween(text, /\ufeff/g),
  };
}

function countBetween(text: string, pattern: RegExp): (from: number, to: number) => number {
  const offsets = Array.from(text.matchAll(pattern), ({ index }) => index);
  if (offsets.length === 0) return () => 0;
  const before = (offset: number) => lastAtMost(offsets, offset - 1) + 1;
  return (from, to) => before(to) - before(from);
}

/** Index of the last of ascending numbers that is not greater than `bound`; -1 where none is. */
export function lastAtMost(numbers: readonly number[], bound: number): number {
  let low = -1;
  let high = numbers.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) <= bound) low = middle;
    else high = middle;
  }
  return low;
}

function lineStarts(prepared: string): readonly number[] {
  const starts = [0];
  for (let at = 0; at < prepared.length; at++) {
    if (isBreak(prepared.charCodeAt(at))) starts.push(at + 1);
  }
  return starts;
}
