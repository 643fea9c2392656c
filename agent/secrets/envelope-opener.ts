import type { Io } from "#core/io.ts";

/**
 * Opens an age envelope with the keys of this node. Throws `secret/envelope-damaged`,
 * `secret/envelope-foreign`, `secret/too-large`, or why the node's own key cannot be read.
 */
export type OpenEnvelope = (sealed: Uint8Array) => Promise<Uint8Array>;

/** Opens envelopes on a machine; what reads them is loaded with the first. */
export function envelopeOpener(io: Io): OpenEnvelope {
  return async (sealed) => {
    const { openEnvelope } = await import("./open-envelope.ts");
    return openEnvelope(io, sealed);
  };
}
