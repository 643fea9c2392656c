import { Fault } from "#core/fault.ts";
import { type ReadLimits, trustLimits } from "./limits.ts";

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const colon = 0x3a;

/**
 * Reads JSON that nobody has looked at yet. How large, how deep and how many it is is counted in the
 * bytes, before anything is made from them. Throws `trust/limit`, `trust/malformed`.
 */
export function readUntrusted(bytes: Uint8Array, limits: ReadLimits = trustLimits): unknown {
  if (bytes.length > limits.bytes) {
    throw tooMuch(`${bytes.length} bytes where at most ${limits.bytes} are taken`);
  }
  measure(bytes, limits);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new Fault("trust/malformed", "expected JSON in UTF-8", { cause });
  }
}

/** Counts by what stands outside of texts; that it is JSON at all is the parser's to say. */
function measure(bytes: Uint8Array, limits: ReadLimits): void {
  let depth = 0;
  let members = 0;
  let inText = false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (inText) {
      if (byte === backslash) index += 1;
      else if (byte === quote) inText = false;
    } else if (byte === quote) {
      inText = true;
    } else if (byte === openBrace || byte === openBracket) {
      depth += 1;
      members += 1;
      if (depth > limits.depth) throw tooMuch(`more than ${limits.depth} levels deep`);
    } else if (byte === closeBrace || byte === closeBracket) {
      depth -= 1;
    } else if (byte === comma || byte === colon) {
      members += 1;
    }
    if (members > limits.members) throw tooMuch(`more than ${limits.members} members`);
  }
}

function tooMuch(what: string): Fault {
  return new Fault("trust/limit", what);
}
