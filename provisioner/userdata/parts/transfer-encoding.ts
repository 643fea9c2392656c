import { latin1Bytes } from "./latin1.ts";
import { uudecode } from "./uuencode.ts";

/** What a body was encoded to. */
export interface TransferDecoded {
  readonly bytes: Uint8Array;
  /** Whether lines of the bytes are lines of the message. */
  readonly keepsLines: boolean;
  /** What is wrong with the encoding, where something is. */
  readonly problem?: TransferProblem;
}

/** `strange`: characters were passed over; `cut`: the end is missing; `broken`: nothing was decoded. */
export type TransferProblem = "strange" | "cut" | "broken" | "unknown";

/**
 * Undoes a `Content-Transfer-Encoding`, with the leniency of Python's `email`: what cannot be decoded
 * stays as it is.
 */
export function transferDecode(body: string, encoding: string | undefined): TransferDecoded {
  switch (encoding) {
    case "base64":
      return decodeBase64(body);
    case "quoted-printable":
      return { bytes: latin1Bytes(decodeQuotedPrintable(body)), keepsLines: !/=[\r\n]/.test(body) };
    case "uuencode":
    case "x-uuencode":
    case "uue":
    case "x-uue": {
      const bytes = uudecode(body);
      if (bytes !== undefined) return { bytes, keepsLines: false };
      return { bytes: latin1Bytes(body), keepsLines: true, problem: "broken" };
    }
    case undefined:
    case "":
    case "7bit":
    case "8bit":
    case "binary":
      return { bytes: latin1Bytes(body), keepsLines: true };
    default:
      return { bytes: latin1Bytes(body), keepsLines: true, problem: "unknown" };
  }
}

/** Whatever is no character of base64 is passed over; so is what follows the padding. */
function decodeBase64(body: string): TransferDecoded {
  const joined = body.replace(/[\r\n]+/g, "");
  const { characters, isPadded } = base64Characters(joined);
  if (characters.length % 4 === 1) {
    return { bytes: latin1Bytes(joined), keepsLines: false, problem: "broken" };
  }
  const bytes = Buffer.from(characters, "base64");
  const isClean = /^[A-Za-z0-9+/]*={0,2}$/.test(joined);
  if (!isClean) return { bytes, keepsLines: false, problem: "strange" };
  if (characters.length % 4 !== 0 && !isPadded) return { bytes, keepsLines: false, problem: "cut" };
  return { bytes, keepsLines: false };
}

/** Characters up to the padding that ends a group of four; a `=` elsewhere is passed over. */
function base64Characters(text: string): {
  readonly characters: string;
  readonly isPadded: boolean;
} {
  const known = text.replace(/[^A-Za-z0-9+/=]+/g, "");
  let characters = "";
  for (const [run] of known.matchAll(/[^=]+|=+/g)) {
    if (!run.startsWith("=")) {
      characters += run;
      continue;
    }
    const open = characters.length % 4;
    if (open >= 2 && open + run.length >= 4) return { characters, isPadded: true };
  }
  return { characters, isPadded: false };
}

function decodeQuotedPrintable(text: string): string {
  // after a soft line break with CR alone everything up to the next LF is lost, as in Python
  return text.replace(
    /=(?:\n|\r[^\n]*(?:\n|$)|(=)|([0-9A-Fa-f]{2})|$)/g,
    (_, equals?: string, hex?: string) =>
      equals ?? (hex === undefined ? "" : String.fromCharCode(Number.parseInt(hex, 16))),
  );
}
