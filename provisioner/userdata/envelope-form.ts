const versionLine = "age-encryption.org/v1\n";
const armourLine = "-----BEGIN AGE ENCRYPTED FILE-----";

/** How an age envelope is written (https://age-encryption.org/v1). */
export type EnvelopeForm = "binary" | "armour";

/** Whether bytes are an age envelope, by how they begin; white space before armour is passed over. */
export function envelopeForm(bytes: Uint8Array): EnvelopeForm | undefined {
  const begins = (at: number, text: string) =>
    Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(text.length, bytes.length - at))
      .toString("latin1")
      .startsWith(text);
  if (begins(0, versionLine)) return "binary";
  let start = 0;
  while ([0x20, 0x09, 0x0a, 0x0d].includes(bytes[start] ?? 0)) start += 1;
  return begins(start, armourLine) ? "armour" : undefined;
}
