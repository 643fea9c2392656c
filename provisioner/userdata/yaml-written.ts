import type { OnPiece } from "./yaml-scalars.ts";
import { lastAtMost, YamlCursor } from "./yaml-text.ts";

/** Reads the scalar that begins at a cursor once more, and tells its pieces. */
export type Scan = (cursor: YamlCursor, onPiece: OnPiece) => void;

/**
 * Where the characters of a scalar's text stand in the document: indentation, folding, quotes and
 * escapes have them stand elsewhere than in a row. It is found out when it is first asked for.
 */
export class WrittenText {
  readonly #prepared: string;
  readonly #range: { readonly at: number; readonly end: number };
  readonly #scan: Scan;
  readonly #by: number;
  #pieces:
    | { readonly inText: readonly number[]; readonly inDocument: readonly number[] }
    | undefined;

  /** `range` is that of the scalar in prepared text; offsets that are given are `by` greater. */
  constructor(
    prepared: string,
    range: { readonly at: number; readonly end: number },
    scan: Scan,
    by = 0,
  ) {
    this.#prepared = prepared;
    this.#range = range;
    this.#scan = scan;
    this.#by = by;
  }

  /** The same in a row of texts, where the document begins `by` further behind. */
  moved(by: number): WrittenText {
    return new WrittenText(this.#prepared, this.#range, this.#scan, this.#by + by);
  }

  /** Offset in the document of a character of the text; of one that is no other's copy, that of the piece before it. */
  offsetOf(index: number): number {
    this.#pieces ??= this.#readPieces();
    const { inText, inDocument } = this.#pieces;
    const piece = lastAtMost(inText, index);
    const start = inDocument[piece] ?? this.#range.at;
    const offset = start + index - (inText[piece] ?? 0);
    return Math.min(offset, (inDocument[piece + 1] ?? this.#range.end) - 1) + this.#by;
  }

  #readPieces() {
    const { at, end } = this.#range;
    const cursor = new YamlCursor(`${this.#prepared.slice(at, end)}\0`);
    cursor.pos = 0;
    // what stands before the scalar in its first line is not here: there it is indented enough
    cursor.lineStart = Number.MIN_SAFE_INTEGER;
    const inText: number[] = [];
    const inDocument: number[] = [];
    this.#scan(cursor, (text, document) => {
      inText.push(text);
      inDocument.push(at + document);
    });
    return { inText, inDocument };
  }
}
