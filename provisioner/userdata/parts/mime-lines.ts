/** A line of a message with its ending: CRLF, LF or CR. */
export interface MimeLine {
  readonly text: string;
  /** Its number in the message, from 1. */
  readonly number: number;
}

/** A stretch of a message, and the line that it begins in. */
export interface MimeText {
  readonly text: string;
  readonly line: number;
}

/**
 * The lines of a message, one by one. A line that delimits a multipart that is open ends what is in it,
 * however deep that is (RFC 2046, 5.1.2): there are no lines then until that multipart is closed.
 */
export class MimeLines {
  readonly #text: string;
  #at = 0;
  #number = 1;
  /** Where the next LF and CR are that were not passed yet; beyond the text where there is none. */
  #feed = -1;
  #carriage = -1;
  /** Lines that were put back, the next one last. */
  readonly #returned: MimeLine[] = [];
  /** Delimiter lines of the open multiparts, and how many of these have each. */
  readonly #delimiters = new Map<string, number>();

  /** One character of `text` is one byte of the message. */
  constructor(text: string) {
    this.#text = text;
  }

  /** Number of the next line. */
  get number(): number {
    return this.#returned.at(-1)?.number ?? this.#number;
  }

  /** The next line, `undefined` at the end of what is open. */
  next(): MimeLine | undefined {
    const line = this.#returned.pop() ?? this.#read();
    if (line === undefined || !this.#isDelimiter(line.text)) return line;
    this.#returned.push(line);
    return undefined;
  }

  /** Puts a line back: it is the next one. */
  putBack(line: MimeLine): void {
    this.#returned.push(line);
  }

  /** Everything up to the end of what is open. */
  rest(): MimeText {
    const line = this.number;
    let text = "";
    while (this.#returned.length > 0) {
      const next = this.next();
      if (next === undefined) return { text, line };
      text += next.text;
    }
    const start = this.#at;
    let end = start;
    while (this.next() !== undefined) end = this.#at;
    return { text: text + this.#text.slice(start, end), line };
  }

  /** Opens a multipart. */
  open(boundary: string): void {
    for (const delimiter of delimitersOf(boundary)) {
      this.#delimiters.set(delimiter, (this.#delimiters.get(delimiter) ?? 0) + 1);
    }
  }

  /** Closes a multipart that was opened. */
  close(boundary: string): void {
    for (const delimiter of delimitersOf(boundary)) {
      const count = this.#delimiters.get(delimiter) ?? 0;
      if (count > 1) this.#delimiters.set(delimiter, count - 1);
      else this.#delimiters.delete(delimiter);
    }
  }

  #read(): MimeLine | undefined {
    if (this.#at >= this.#text.length) return undefined;
    const text = this.#text.slice(this.#at, this.#endOfLine());
    this.#at += text.length;
    this.#number += 1;
    return { text, number: this.#number - 1 };
  }

  #endOfLine(): number {
    const text = this.#text;
    if (this.#feed < this.#at) this.#feed = find(text, "\n", this.#at);
    if (this.#carriage < this.#at) this.#carriage = find(text, "\r", this.#at);
    if (this.#carriage + 1 < this.#feed) return Math.min(this.#carriage + 1, text.length);
    return Math.min(this.#feed + 1, text.length);
  }

  #isDelimiter(line: string): boolean {
    return line.startsWith("--") && this.#delimiters.has(bareLine(line));
  }
}

/** A line without its ending, and without blanks before that: as delimiters are compared. */
export function bareLine(line: string): string {
  let end = line.length - lineEnding(line).length;
  while (line[end - 1] === " " || line[end - 1] === "\t") end -= 1;
  return line.slice(0, end);
}

/** What a text ends a line with: CRLF, LF, CR or nothing. */
export function lineEnding(text: string): string {
  if (text.endsWith("\r\n")) return "\r\n";
  return text.endsWith("\n") || text.endsWith("\r") ? text.slice(-1) : "";
}

function delimitersOf(boundary: string): readonly string[] {
  return [`--${boundary}`, `--${boundary}--`];
}

function find(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from);
  return at === -1 ? text.length : at;
}
