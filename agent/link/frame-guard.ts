/**
 * Watches the MQTT packets in a stream of bytes and says when one announces more than `maxBytes`:
 * the parser above would otherwise gather up to 256 MB. `add` returns the announced size, or
 * `undefined` while all is well. Packet sizes: MQTT 5.0, section 2.1.4.
 */
export function frameGuard(maxBytes: number): { add(chunk: Uint8Array): number | undefined } {
  /** Bytes of the current packet still to come; undefined while its head is being read. */
  let remaining: number | undefined;
  let headBytes = 0;
  let length = 0;
  return {
    add(chunk) {
      let at = 0;
      while (at < chunk.length) {
        if (remaining !== undefined) {
          const step = Math.min(remaining, chunk.length - at);
          at += step;
          remaining -= step;
        } else {
          const byte = chunk[at] ?? 0;
          at += 1;
          headBytes += 1;
          if (headBytes === 1) continue; // type and flags
          length += (byte & 0x7f) * 128 ** (headBytes - 2);
          if (length > maxBytes || headBytes > 5) return length;
          if (byte < 0x80) remaining = length;
        }
        if (remaining === 0) {
          remaining = undefined;
          headBytes = 0;
          length = 0;
        }
      }
      return undefined;
    },
  };
}
