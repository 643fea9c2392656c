import { canonicalJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";

const newline = 10;

/** Cuts bytes into lines and holds no more than one unfinished line. */
export class LineSplitter {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of the unfinished line. */
  get held(): number {
    return this.#size;
  }

  /** The lines that these bytes finish, without their newlines. Throws `side/too-large`. */
  push(bytes: Uint8Array): readonly Uint8Array[] {
    const lines: Uint8Array[] = [];
    let from = 0;
    for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, from)) {
      this.#keep(bytes.subarray(from, at));
      lines.push(Buffer.concat(this.#chunks));
      this.#chunks = [];
      this.#size = 0;
      from = at + 1;
    }
    this.#keep(bytes.subarray(from));
    return lines;
  }

  #keep(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#size > this.#maxBytes) {
      throw new Fault("side/too-large", `a message of more than ${this.#maxBytes} bytes`);
    }
    if (bytes.length > 0) this.#chunks.push(bytes);
  }
}

/** What one line says. Throws `side/refused` for what is no JSON in UTF-8. */
export function parseLine(line: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
  } catch (cause) {
    throw new Fault("side/refused", "expected a line of JSON in UTF-8", { cause });
  }
}

/** A message as a line. Throws `secret/serialised` on a secret. */
export function formatLine(message: object): string {
  return `${canonicalJson(message)}\n`;
}
