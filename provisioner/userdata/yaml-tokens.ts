import {
  type Directive,
  scanAnchorName,
  scanDirective,
  scanTag,
  type WrittenTag,
} from "./yaml-properties.ts";
import { scanBlock, scanPlain, scanQuoted } from "./yaml-scalars.ts";
import { describeCharacter, isBlankOrEnd, YamlCursor, YamlProblem } from "./yaml-text.ts";
import { type Scan, WrittenText } from "./yaml-written.ts";

/** What a piece of the document is. Block collections have tokens for where they begin and end. */
export type TokenKind =
  | "directive"
  | "document-start"
  | "document-end"
  | "end"
  | "block-sequence-start"
  | "block-mapping-start"
  | "block-end"
  | "["
  | "]"
  | "{"
  | "}"
  | ","
  | "-"
  | "key"
  | "value"
  | "alias"
  | "anchor"
  | "tag"
  | "scalar";

/** One piece of the document; offsets are those of the prepared text. */
export interface Token {
  readonly kind: TokenKind;
  readonly at: number;
  readonly end: number;
  /** Text of a scalar, name of an anchor or alias. */
  readonly text: string;
  /** Of a scalar: whether it stands without quotes and may be a number, a date and so on. */
  readonly plain: boolean;
  readonly tag: WrittenTag | null;
  readonly directive: Directive | null;
  /** Of a scalar that has several lines, here or in the document. */
  readonly written: WrittenText | null;
}

/** Something that is the key of a mapping should `:` follow it on the same line. */
interface PossibleKey {
  readonly tokenNumber: number;
  readonly at: number;
  readonly line: number;
  readonly column: number;
  /** In a place where only a key can stand. */
  readonly required: boolean;
}

/** A key before `:` may be this many characters long (https://yaml.org/spec/1.1/#id934537). */
const maxKeyLength = 1024;
const sameLineHint = "A key and its colon stand on one line: `key: value`.";

/**
 * Cuts a document into tokens as PyYAML's scanner does (YAML 1.1 with its own strictness): tabs
 * separate nothing, indentation does not count inside brackets and quotes, `?` ends plain text in
 * brackets. Tokens are made when asked for. Throws {@link YamlProblem}.
 */
export class YamlScanner {
  private readonly cursor: YamlCursor;
  private readonly maxDepth: number;
  private readonly queue: Token[] = [];
  private taken = 0;
  private done = false;
  private flowLevel = 0;
  private indent = -1;
  private readonly indents: number[] = [];
  private keyAllowed = true;
  /** By flow level; lower levels always hold the earlier token. */
  private readonly possibleKeys: (PossibleKey | undefined)[] = [];

  constructor(prepared: string, maxDepth: number) {
    this.cursor = new YamlCursor(prepared);
    this.maxDepth = maxDepth;
  }

  /** The next token; at the end of the document always the token `end`. */
  peek(): Token {
    while (this.needsMore()) this.scanNext();
    return this.queue[0] ?? makeToken("end", this.cursor.pos);
  }

  /** Takes the next token. */
  take(): Token {
    const token = this.peek();
    if (this.queue.length > 0) {
      this.queue.shift();
      this.taken += 1;
    }
    return token;
  }

  private needsMore(): boolean {
    if (this.done) return false;
    if (this.queue.length === 0) return true;
    this.forgetStaleKeys();
    return this.possibleKeys.find((key) => key !== undefined)?.tokenNumber === this.taken;
  }

  private scanNext(): void {
    const { cursor } = this;
    this.skipToToken();
    this.forgetStaleKeys();
    this.closeBlocks(cursor.column);
    const code = cursor.code();
    if (code === 0) return this.scanEnd();
    if (cursor.column === 0) {
      if (code === 0x25) return this.scanDirectiveLine();
      if (cursor.atDocumentMarker()) return this.scanDocumentMarker();
    }
    switch (code) {
      case 0x5b:
        return this.openFlow("[");
      case 0x7b:
        return this.openFlow("{");
      case 0x5d:
        return this.closeFlow("]");
      case 0x7d:
        return this.closeFlow("}");
      case 0x2c:
        return this.scanComma();
      case 0x2a:
      case 0x26:
        return this.scanAnchor(code === 0x2a ? "alias" : "anchor");
      case 0x21:
        return this.scanTagToken();
      case 0x27:
      case 0x22:
        return this.scanQuotedScalar();
    }
    const alone = isBlankOrEnd(cursor.code(1));
    if (code === 0x2d && alone) return this.scanEntry();
    if (code === 0x3f && (alone || this.flowLevel > 0)) return this.scanKey();
    if (code === 0x3a && (alone || this.flowLevel > 0)) return this.scanValue();
    if ((code === 0x7c || code === 0x3e) && this.flowLevel === 0) return this.scanBlockScalar();
    if ("\t|>%@`".includes(String.fromCharCode(code))) this.refuse(code);
    this.scanPlainScalar();
  }

  private refuse(code: number): never {
    if (code === 0x09) {
      this.cursor.fail("a tab may not indent or separate", { hint: "Use spaces." });
    }
    const found = describeCharacter(this.cursor.text, this.cursor.pos);
    const hint = "Put the value in quotes.";
    this.cursor.fail(`a value without quotes may not begin with ${found}`, { hint });
  }

  private skipToToken(): void {
    const { cursor } = this;
    do {
      cursor.skipSpaces();
      cursor.skipComment();
    } while (this.takeBreak());
  }

  private takeBreak(): boolean {
    if (this.cursor.takeBreak() === "") return false;
    if (this.flowLevel === 0) this.keyAllowed = true;
    return true;
  }

  private push(token: Token): void {
    this.queue.push(token);
  }

  /** Takes `length` characters as one token. */
  private pushMark(kind: TokenKind, length = 1): void {
    const at = this.cursor.pos;
    this.cursor.pos += length;
    this.push(makeToken(kind, at, this.cursor.pos));
  }

  private savePossibleKey(): void {
    if (!this.keyAllowed) return;
    const { cursor, flowLevel } = this;
    this.forgetKey();
    this.possibleKeys[flowLevel] = {
      tokenNumber: this.taken + this.queue.length,
      at: cursor.pos,
      line: cursor.line,
      column: cursor.column,
      required: flowLevel === 0 && this.indent === cursor.column,
    };
  }

  private forgetKey(): void {
    const key = this.possibleKeys[this.flowLevel];
    if (key?.required === true) failMissingColon(key);
    this.possibleKeys[this.flowLevel] = undefined;
  }

  private forgetStaleKeys(): void {
    for (let level = 0; level < this.possibleKeys.length; level++) {
      const key = this.possibleKeys[level];
      if (key === undefined || !this.isStale(key)) continue;
      if (key.required) failMissingColon(key);
      this.possibleKeys[level] = undefined;
    }
  }

  private isStale(key: PossibleKey): boolean {
    const { cursor } = this;
    if (key.line !== cursor.line) return true;
    if (cursor.pos - key.at <= maxKeyLength) return false;
    return cursor.charactersFrom(key.at) > maxKeyLength;
  }

  private openBlock(column: number): boolean {
    if (this.indent >= column) return false;
    if (this.indents.length >= this.maxDepth) this.failTooDeep();
    this.indents.push(this.indent);
    this.indent = column;
    return true;
  }

  private closeBlocks(column: number): void {
    if (this.flowLevel > 0) return;
    while (this.indent > column) {
      this.indent = this.indents.pop() ?? -1;
      this.push(makeToken("block-end", this.cursor.pos));
    }
  }

  private failTooDeep(): never {
    const message = `collections are nested more than ${this.maxDepth} deep`;
    throw new YamlProblem(
      "yaml/too-deep",
      this.cursor.pos,
      message,
      "Write it with fewer values inside one another.",
    );
  }

  private scanEnd(): void {
    this.closeBlocks(-1);
    this.forgetKey();
    this.possibleKeys.length = 0;
    this.push(makeToken("end", this.cursor.pos));
    this.done = true;
  }

  private scanDirectiveLine(): void {
    this.closeBlocks(-1);
    this.forgetKey();
    this.keyAllowed = false;
    const at = this.cursor.pos;
    const directive = scanDirective(this.cursor);
    this.push({ ...makeToken("directive", at, this.cursor.pos), directive });
  }

  private scanDocumentMarker(): void {
    this.closeBlocks(-1);
    this.forgetKey();
    this.keyAllowed = false;
    this.pushMark(this.cursor.code() === 0x2d ? "document-start" : "document-end", 3);
  }

  private openFlow(kind: "[" | "{"): void {
    this.savePossibleKey();
    this.flowLevel += 1;
    if (this.flowLevel > this.maxDepth) this.failTooDeep();
    this.keyAllowed = true;
    this.pushMark(kind);
  }

  private closeFlow(kind: "]" | "}"): void {
    if (this.flowLevel === 0) {
      this.cursor.fail(`\`${kind}\` closes nothing that is open here`, {
        hint: "If it is meant as text, put the value in quotes.",
      });
    }
    this.forgetKey();
    this.flowLevel -= 1;
    this.keyAllowed = false;
    this.pushMark(kind);
  }

  private scanComma(): void {
    this.keyAllowed = true;
    this.forgetKey();
    this.pushMark(",");
  }

  private scanEntry(): void {
    if (this.flowLevel === 0) {
      if (!this.keyAllowed) {
        this.cursor.fail("an entry of a list must begin a line of its own", {
          hint: "If - is meant as text, put the value in quotes.",
        });
      }
      if (this.openBlock(this.cursor.column))
        this.push(makeToken("block-sequence-start", this.cursor.pos));
    }
    this.keyAllowed = true;
    this.forgetKey();
    this.pushMark("-");
  }

  private scanKey(): void {
    if (this.flowLevel === 0) {
      if (!this.keyAllowed) this.cursor.fail("a key may not begin here", { hint: sameLineHint });
      if (this.openBlock(this.cursor.column))
        this.push(makeToken("block-mapping-start", this.cursor.pos));
    }
    this.keyAllowed = this.flowLevel === 0;
    this.forgetKey();
    this.pushMark("key");
  }

  private scanValue(): void {
    const key = this.possibleKeys[this.flowLevel];
    if (key !== undefined) {
      this.possibleKeys[this.flowLevel] = undefined;
      this.insertKey(key);
      this.keyAllowed = false;
    } else {
      if (this.flowLevel === 0) {
        if (!this.keyAllowed) {
          this.cursor.fail("a colon followed by a space may not stand here", {
            hint: "If it is part of the text, put the value in quotes; else check the indentation.",
          });
        }
        if (this.openBlock(this.cursor.column)) {
          this.push(makeToken("block-mapping-start", this.cursor.pos));
        }
      }
      this.keyAllowed = this.flowLevel === 0;
      this.forgetKey();
    }
    this.pushMark("value");
  }

  private insertKey(key: PossibleKey): void {
    const index = key.tokenNumber - this.taken;
    const opens = this.flowLevel === 0 && this.openBlock(key.column);
    const start = opens ? [makeToken("block-mapping-start", key.at)] : [];
    this.queue.splice(index, 0, ...start, makeToken("key", key.at));
  }

  private scanAnchor(kind: "alias" | "anchor"): void {
    this.savePossibleKey();
    this.keyAllowed = false;
    const at = this.cursor.pos;
    const text = scanAnchorName(this.cursor);
    this.push({ ...makeToken(kind, at, this.cursor.pos), text });
  }

  private scanTagToken(): void {
    this.savePossibleKey();
    this.keyAllowed = false;
    const at = this.cursor.pos;
    const tag = scanTag(this.cursor);
    this.push({ ...makeToken("tag", at, this.cursor.pos), tag });
  }

  private scanBlockScalar(): void {
    this.keyAllowed = true;
    this.forgetKey();
    const at = this.cursor.pos;
    const text = scanBlock(this.cursor, this.indent);
    const end = this.cursor.pos;
    const { indent } = this;
    const written = this.written({ at, end }, (cursor, onPiece) => {
      scanBlock(cursor, indent, onPiece);
    });
    this.push({ ...makeToken("scalar", at, end), text, written });
  }

  private scanQuotedScalar(): void {
    this.savePossibleKey();
    this.keyAllowed = false;
    const { pos: at, line } = this.cursor;
    const text = scanQuoted(this.cursor);
    const end = this.cursor.pos;
    const hasLines = this.cursor.line !== line || text.includes("\n");
    const written = hasLines ? this.written({ at, end }, scanQuoted) : null;
    this.push({ ...makeToken("scalar", at, end), text, written });
  }

  private scanPlainScalar(): void {
    this.savePossibleKey();
    const at = this.cursor.pos;
    const inFlow = this.flowLevel > 0;
    const indent = this.indent + 1;
    const { text, end, lineEnded } = scanPlain(this.cursor, indent, inFlow);
    this.keyAllowed = lineEnded;
    const written =
      text.length === end - at
        ? null
        : this.written({ at, end }, (cursor, onPiece) => {
            scanPlain(cursor, indent, inFlow, onPiece);
          });
    this.push({ ...makeToken("scalar", at, end), text, plain: true, written });
  }

  private written(range: { readonly at: number; readonly end: number }, scan: Scan): WrittenText {
    return new WrittenText(this.cursor.text, range, scan);
  }
}

function failMissingColon(key: PossibleKey): never {
  throw new YamlProblem(
    "yaml/invalid",
    key.at,
    "a key must be followed by a colon on its line",
    sameLineHint,
  );
}

function makeToken(kind: TokenKind, at: number, end = at): Token {
  return { kind, at, end, text: "", plain: false, tag: null, directive: null, written: null };
}
