import { createHash } from "node:crypto";

/** Rounds where the hash does not say how many. */
const rounds = 5_000;
const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Bytes that a password may have for crypt(3). */
export const maxPasswordBytes = 511;

/**
 * The hash of a password as crypt(3) makes it with SHA-512 (`$6$`); a salt has at most 16 characters of
 * crypt's own alphabet. Source: https://www.akkadia.org/drepper/SHA-crypt.txt
 */
export function sha512Crypt(password: Uint8Array, salt: string): string {
  const saltBytes = Buffer.from(salt, "latin1");
  const p = stretch(digest(repeat(password, password.length)), password.length);
  let state = firstDigest(password, saltBytes);
  const s = stretch(digest(repeat(saltBytes, 16 + (state[0] ?? 0))), saltBytes.length);
  for (let round = 0; round < rounds; round++) {
    const isOdd = round % 2 === 1;
    const parts = [isOdd ? p : state];
    if (round % 3 !== 0) parts.push(s);
    if (round % 7 !== 0) parts.push(p);
    parts.push(isOdd ? state : p);
    state = digest(parts);
  }
  return `$6$${salt}$${encode(state)}`;
}

/** Characters for a salt from bytes, 6 bits of each. */
export function saltOf(bytes: Uint8Array): string {
  return [...bytes.subarray(0, 16)].map((byte) => alphabet[byte % 64]).join("");
}

function firstDigest(password: Uint8Array, salt: Uint8Array): Uint8Array {
  const other = digest([password, salt, password]);
  const parts = [password, salt, stretch(other, password.length)];
  for (let length = password.length; length > 0; length >>= 1) {
    parts.push(length % 2 === 1 ? other : password);
  }
  return digest(parts);
}

function digest(parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("sha512");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function repeat(bytes: Uint8Array, times: number): readonly Uint8Array[] {
  return Array.from({ length: times }, () => bytes);
}

/** The bytes again and again, until there are so many. */
function stretch(bytes: Uint8Array, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => bytes[at % bytes.length] ?? 0);
}

/** Three bytes make four characters, the lowest bits first; which three is how the scheme mixes them. */
function encode(bytes: Uint8Array): string {
  let [a, b, c] = [0, 21, 42];
  let text = "";
  for (let group = 0; group < 21; group++) {
    text += characters(((bytes[a] ?? 0) << 16) | ((bytes[b] ?? 0) << 8) | (bytes[c] ?? 0), 4);
    [a, b, c] = [b + 1, c + 1, a + 1];
  }
  return text + characters(bytes[63] ?? 0, 2);
}

function characters(value: number, count: number): string {
  return Array.from({ length: count }, (_, at) => alphabet[(value >> (6 * at)) & 63]).join("");
}
