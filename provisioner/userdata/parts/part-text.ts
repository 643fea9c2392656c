import { readUtf8, type Utf8Fault } from "../utf8-text.ts";

/** Text of a part, or where it stops being UTF-8. */
export type PartText = { readonly text: string } | Utf8Fault;

/**
 * The text of a part: UTF-8, as cloud-init takes all of them; what is none is read by the charset that
 * its header names.
 */
export function readText(bytes: Uint8Array, charset: string | undefined): PartText {
  const read = readUtf8(bytes);
  if (read.text !== undefined || charset === undefined) return read;
  try {
    return { text: new TextDecoder(charset, { fatal: true }).decode(bytes) };
  } catch {
    return read; // no such charset, or not in it
  }
}
