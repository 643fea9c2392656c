/** The bytes of a text in base64 (RFC 4648), also one of several lines; `undefined` where it is none. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const dense = text.replace(/\s*[\r\n]\s*/g, "").trim();
  const isBase64 = dense.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(dense);
  return isBase64 ? Buffer.from(dense, "base64") : undefined;
}

/** The bytes that others encode in base64, else the bytes themselves, as cloud-init has it. */
export function decodedOrSame(bytes: Uint8Array | undefined): Uint8Array | undefined {
  if (bytes === undefined) return undefined;
  return decodeBase64(Buffer.from(bytes).toString("latin1")) ?? bytes;
}
