/**
 * Reads ssh's wire format (RFC 4251 section 5) field by field. What is asked for beyond the end throws
 * a `RangeError`; nothing longer than the bytes themselves is ever made.
 */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError("it ends in the middle of a field");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  number(): number {
    return this.take(4).readUInt32BE();
  }

  field(): Buffer {
    return this.take(this.number());
  }

  text(): string {
    return this.field().toString("latin1");
  }

  /** A whole number that is not negative, written as short as can be; its bytes without a sign. */
  natural(): Buffer {
    const field = this.field();
    const [first = 0, second = 0] = field;
    const isShortest = first !== 0 || (field.length > 1 && second >= 0x80);
    if (first >= 0x80 || !isShortest)
      throw new RangeError("it holds a number that is written wrongly");
    return first === 0 ? field.subarray(1) : field;
  }

  /** Nothing may follow. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError("more follows than belongs to it");
  }
}

/** A field of the wire format. */
export function wireField(bytes: Uint8Array | string): Buffer {
  const content = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}
