import { Fault } from "#core/fault.ts";
import { signedLine, startOf } from "./signed-form.ts";
import { readSshSignature, type SshSignature } from "./ssh-signature.ts";

/** A document that is signed as a whole: the signature, then the text that it is of. */
export interface SignedDocument {
  readonly signature: SshSignature;
  /** Names this signature among others; says nothing of the text to who has not the key. */
  readonly signatureBytes: Uint8Array;
  readonly text: Uint8Array;
  /** Lines of the document before the text. */
  readonly linesBefore: number;
  /** Line on which the signature begins, from 1. */
  readonly line: number;
  /** Whether the first line ends as in files of Windows. */
  readonly hasCarriageReturns: boolean;
}

/** Where a signature is wrong: `line` is of the document, from 1. */
export class SignatureFault extends Fault<"user-data/signature-malformed"> {
  readonly line: number;

  constructor(line: number, message: string, hint?: string) {
    super("user-data/signature-malformed", message, hint === undefined ? {} : { hint });
    this.line = line;
  }
}

const begin = "-----BEGIN SSH SIGNATURE-----";
const end = "-----END SSH SIGNATURE-----";

/** That of an RSA key of 16384 bits has 6 kB. */
const longestArmour = 16 * 1024;

/**
 * Reads a document that begins with {@link signedLine}. Throws a {@link SignatureFault} where no
 * signature that can be read follows.
 */
export function readSignedDocument(document: Uint8Array): SignedDocument {
  const start = startOf(document);
  const head = Buffer.from(document.subarray(0, start + longestArmour)).toString("latin1");
  const before = head.slice(0, start).split("\n").length - 1;
  const [first = "", ...lines] = splitLines(head.slice(start));
  if (first.trim().toLowerCase() !== signedLine)
    throw new SignatureFault(before + 1, `more than ${signedLine} stands on the first line`);
  const opening = lines.findIndex((line) => line.trim() !== "");
  const line = before + 2 + Math.max(opening, 0);
  if (lines[opening]?.trim() !== begin)
    throw new SignatureFault(line, `expected ${begin}`, makeAnew);
  const closing = lines.findIndex((each) => each.trim() === end);
  if (closing === -1)
    throw new SignatureFault(line, `the signature has no end: ${end} does not follow`, wasCut);
  const consumed = [first, ...lines.slice(0, closing + 1)];
  const textStart = start + consumed.reduce((sum, each) => sum + each.length, 0);
  const signatureBytes = decodeArmour(lines.slice(opening + 1, closing), line);
  const text = document.subarray(textStart);
  if (Buffer.from(text.subarray(0, begin.length)).toString("latin1") === begin)
    throw new SignatureFault(
      before + consumed.length + 1,
      "a second signature follows, and a document has one",
      "keep the one of the text itself",
    );
  return {
    ...{ signature: readSignature(signatureBytes, line), signatureBytes, text, line },
    linesBefore: before + consumed.length,
    hasCarriageReturns: first.endsWith("\r\n"),
  };
}

const makeAnew =
  "put the whole of what `ssh-keygen -Y sign` made between the first line and the text";
const wasCut = "check that the document was not cut";

/** Lines with their ends. */
function splitLines(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** One way of writing it alone is read: other bits that mean the same would be another document. */
function decodeArmour(lines: readonly string[], line: number): Uint8Array {
  const base64 = lines.map((each) => each.trimEnd()).join("");
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length > 0 && bytes.toString("base64") === base64) return bytes;
  throw new SignatureFault(line, "the signature is no Base64", wasCut);
}

function readSignature(bytes: Uint8Array, line: number): SshSignature {
  try {
    return readSshSignature(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new SignatureFault(line, `the signature cannot be read: ${error.message}`);
  }
}
