/**
 * Unpacks gzip to at most so many bytes. Throws what `node:zlib` throws, `ERR_BUFFER_TOO_LARGE` beyond
 * them; that module is loaded with the first use, for few documents are packed.
 */
export function gunzip(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const { gunzipSync } = process.getBuiltinModule("node:zlib");
  return gunzipSync(bytes, { maxOutputLength: maxBytes });
}
