import type { Readable } from "node:stream";

const newline = 10;

/** Reads lines and counted bytes from a stream, never more than it was asked for at once. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #held = Buffer.alloc(0);

  constructor(stream: Readable) {
    this.#source = (stream as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  }

  /** The next line without its newline; `undefined` at the end. Throws when it is longer. */
  async line(maxBytes: number): Promise<string | undefined> {
    for (;;) {
      const at = this.#held.indexOf(newline);
      if (at > maxBytes || (at === -1 && this.#held.length > maxBytes)) {
        throw new Error(`a line of more than ${maxBytes} bytes`);
      }
      if (at !== -1) {
        const line = this.#held.subarray(0, at).toString("utf8");
        this.#held = this.#held.subarray(at + 1);
        return line;
      }
      if (!(await this.#more())) return undefined;
    }
  }

  /** The next bytes, in pieces as they come. Throws when the stream ends before. */
  async *bytes(count: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = count; left > 0; ) {
      if (this.#held.length === 0 && !(await this.#more())) throw new Error("it ended too early");
      const piece = this.#held.subarray(0, left);
      this.#held = this.#held.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done === true) return false;
    this.#held =
      this.#held.length === 0 ? Buffer.from(next.value) : Buffer.concat([this.#held, next.value]);
    return true;
  }
}
