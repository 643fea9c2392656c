const alphabet = "0123456789abcdfghijklmnpqrsvwxyz";
const base32Length = 52;
const hashBytes = 32;

/**
 * Nix's own base 32 of bytes: the last bits first, letters that spell no words.
 * Source: `printHash32` in Nix's libutil/hash.cc.
 */
export function nixBase32(bytes: Uint8Array): string {
  const length = Math.ceil((bytes.length * 8) / 5);
  let text = "";
  for (let n = length - 1; n >= 0; n--) {
    const bit = n * 5;
    const index = bit >> 3;
    const shift = bit & 7;
    const both = ((bytes[index] ?? 0) >> shift) | ((bytes[index + 1] ?? 0) << (8 - shift));
    text += alphabet[both & 31];
  }
  return text;
}

/**
 * The lower-case hexadecimal digits of a SHA-256 in any of the forms that Nix writes:
 * `sha256:<52 of base 32>`, `sha256:<64 hexadecimal>`, `sha256-<base 64>`; `undefined` when it is none.
 */
export function parseSha256(text: string): string | undefined {
  const [, separator, digits = ""] = /^sha256([:-])([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  if (separator === "-") return base64Hex(digits);
  if (/^[0-9a-f]{64}$/.test(digits)) return digits;
  return digits.length === base32Length ? base32Hex(digits) : undefined;
}

/** Hexadecimal digits as `sha256-<base 64>`. */
export function sriOf(hex: string): string {
  return `sha256-${Buffer.from(hex, "hex").toString("base64")}`;
}

/** Hexadecimal digits as `sha256:<base 32>`, as Nix signs and serves them. */
export function nixSha256(hex: string): string {
  return `sha256:${nixBase32(Buffer.from(hex, "hex"))}`;
}

function base64Hex(text: string): string | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.length === hashBytes && bytes.toString("base64") === text
    ? bytes.toString("hex")
    : undefined;
}

function base32Hex(text: string): string | undefined {
  const bytes = Buffer.alloc(hashBytes);
  for (let n = 0; n < text.length; n++) {
    const digit = alphabet.indexOf(text[text.length - n - 1] ?? "");
    const bit = n * 5;
    const index = bit >> 3;
    const shift = bit & 7;
    if (digit === -1 || (index === hashBytes - 1 && digit >> (8 - shift) !== 0)) return undefined;
    bytes[index] = (bytes[index] ?? 0) | ((digit << shift) & 0xff);
    if (index < hashBytes - 1) bytes[index + 1] = digit >> (8 - shift);
  }
  return bytes.toString("hex");
}
