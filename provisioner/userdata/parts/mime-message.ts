import { latin1Text } from "./latin1.ts";
import type { MimeDefect, MimeFault } from "./mime-defect.ts";
import { MimeHeader } from "./mime-header.ts";
import { readHeader } from "./mime-header-lines.ts";
import { bareLine, lineEnding, MimeLines, type MimeText } from "./mime-lines.ts";

const maxDepth = 64;
const maxParts = 1000;
/** As many as a person may read. */
const maxFaults = 100;

/** A part of a message that has no parts in it. */
export interface MimePart {
  readonly header: MimeHeader;
  /** `type/subtype` in small letters. */
  readonly contentType: string;
  /** As it stands in the message, encoded; one character is one byte. */
  readonly body: string;
  /** Line of the message that the body begins in, from 1. */
  readonly bodyLine: number;
}

/** Parts in the order of the message, and what is wrong with it. */
export interface MimeMessage {
  readonly parts: readonly MimePart[];
  readonly faults: readonly MimeFault[];
}

/**
 * Reads a message as Python's `email` does, multiparts and messages in messages included. It never
 * throws: what cannot be made sense of is named.
 */
export function readMessage(bytes: Uint8Array): MimeMessage {
  const reader = new MessageReader(new MimeLines(latin1Text(bytes)));
  reader.entity({ defaultType: "text/plain", depth: 0, isInMultipart: false });
  return reader;
}

interface Surroundings {
  readonly defaultType: string;
  readonly depth: number;
  /** Then the last line ending belongs to the delimiter behind it (RFC 2046, 5.1.1). */
  readonly isInMultipart: boolean;
}

class MessageReader implements MimeMessage {
  readonly parts: MimePart[] = [];
  readonly faults: MimeFault[] = [];
  readonly #lines: MimeLines;
  #count = 0;

  constructor(lines: MimeLines) {
    this.#lines = lines;
  }

  /** A message, or one part of a multipart, up to where it ends. */
  entity(around: Surroundings): void {
    const { number } = this.#lines;
    const header = new MimeHeader(
      readHeader(this.#lines, (defect, line) => this.#say(defect, line)),
    );
    const contentType = header.contentType(around.defaultType);
    const line = header.field("content-type")?.line ?? number;
    if (contentType.startsWith("multipart/")) this.#multipart(header, contentType, line, around);
    else if (contentType.startsWith("message/")) this.#message(contentType, line, around);
    else this.#leaf(header, contentType, around);
  }

  #leaf(header: MimeHeader, contentType: string, { isInMultipart }: Surroundings): void {
    const body = this.#lines.rest();
    this.#count += 1;
    if (this.#count === maxParts + 1) this.#say("too-many-parts", body.line);
    if (this.#count > maxParts) return;
    const text = isInMultipart ? withoutLastEnding(body) : body.text;
    this.parts.push({ header, contentType, body: text, bodyLine: body.line });
  }

  /** Whatever kind of message it is, another header follows. */
  #message(contentType: string, line: number, around: Surroundings): void {
    // its text is blocks of header fields alone (RFC 3464)
    if (contentType === "message/delivery-status") {
      this.#lines.rest();
      return;
    }
    if (around.depth >= maxDepth) return this.#skip("too-deep", line);
    this.entity({ ...around, defaultType: "text/plain", depth: around.depth + 1 });
  }

  #multipart(header: MimeHeader, contentType: string, line: number, around: Surroundings): void {
    const named = header.boundary();
    if (around.depth >= maxDepth) return this.#skip("too-deep", line);
    if (named === undefined) return this.#skip("no-boundary", line);
    const encoding = header.word("content-transfer-encoding") ?? "8bit";
    if (!["7bit", "8bit", "binary"].includes(encoding)) this.#say("encoded-multipart", line);
    const boundary = latin1Text(Buffer.from(named, "utf8"));
    if (!this.#skipPreamble(boundary)) return this.#skip("no-start-boundary", line);
    const inner = {
      defaultType: contentType === "multipart/digest" ? "message/rfc822" : "text/plain",
      depth: around.depth + 1,
      isInMultipart: true,
    };
    do {
      this.#lines.open(boundary);
      this.entity(inner);
      this.#lines.close(boundary);
    } while (this.#count <= maxParts && this.#nextPart(boundary, line));
    this.#lines.rest(); // the epilogue
  }

  /** Whether a part follows; its delimiter, and any that follow at once, are passed. */
  #nextPart(boundary: string, line: number): boolean {
    const delimiter = this.#lines.next();
    if (delimiter === undefined) {
      this.#say("no-close-boundary", line);
      return false;
    }
    if (bareLine(delimiter.text) === `--${boundary}--`) return false;
    this.#skipDelimiters(boundary);
    return true;
  }

  /** Up to the first part; whether there is one. */
  #skipPreamble(boundary: string): boolean {
    for (;;) {
      const line = this.#lines.next();
      if (line === undefined) return false;
      const bare = bareLine(line.text);
      if (bare !== `--${boundary}` && bare !== `--${boundary}--`) continue;
      if (bare === `--${boundary}--`) return false;
      this.#skipDelimiters(boundary);
      return true;
    }
  }

  #skipDelimiters(boundary: string): void {
    for (let line = this.#lines.next(); line !== undefined; line = this.#lines.next()) {
      const bare = bareLine(line.text);
      if (bare === `--${boundary}` || bare === `--${boundary}--`) continue;
      this.#lines.putBack(line);
      return;
    }
  }

  #skip(defect: MimeDefect, line: number): void {
    this.#say(defect, line);
    this.#lines.rest();
  }

  #say(defect: MimeDefect, line: number): void {
    if (this.faults.length < maxFaults) this.faults.push({ defect, line });
  }
}

function withoutLastEnding({ text }: MimeText): string {
  return text.slice(0, text.length - lineEnding(text).length);
}
