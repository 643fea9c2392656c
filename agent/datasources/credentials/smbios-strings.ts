import { decodeBase64 } from "../base64.ts";

/** A credential as a carrier of text brings it: its value, or what is wrong with it. */
export interface CarriedCredential {
  readonly name: string;
  readonly value: Uint8Array | undefined;
}

const headerBytes = 5; // type, length, handle, count (SMBIOS specification 3.7, section 7.12)
const textPrefix = "io.systemd.credential:";
const binaryPrefix = "io.systemd.credential.binary:";

/**
 * Credentials among the strings of one structure of type 11, as systemd reads them
 * (https://systemd.io/CREDENTIALS/); a value in base64 that is none is `undefined`.
 */
export function parseOemStrings(structure: Uint8Array): readonly CarriedCredential[] {
  const length = Math.max(structure[1] ?? 0, headerBytes);
  const strings = Buffer.from(structure.subarray(length)).toString("latin1").split("\0");
  return strings.flatMap((string) => {
    const isBinary = string.startsWith(binaryPrefix);
    if (!isBinary && !string.startsWith(textPrefix)) return [];
    const rest = string.slice((isBinary ? binaryPrefix : textPrefix).length);
    const at = rest.indexOf("=");
    if (at < 0) return [];
    const text = rest.slice(at + 1);
    const value = isBinary ? decodeBase64(text) : Buffer.from(text, "latin1");
    return [{ name: rest.slice(0, at), value }];
  });
}
