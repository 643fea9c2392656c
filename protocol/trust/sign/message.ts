import { canonicalJson } from "#core/canonical-json.ts";

/** What a message says beside its body; signed by nobody. */
export interface MessageParts {
  /** A UUID. */
  readonly id?: string;
  /** When it was made. */
  readonly at?: string;
  readonly expiresAt?: string;
}

/**
 * A whole message to a node around signed metadata: what is published on `desired` or `cmd`, and what
 * a stick carries.
 */
export function message(body: object, parts: MessageParts = {}): Uint8Array {
  const envelope = {
    v: 1,
    id: "00000000-0000-4000-8000-000000000000",
    at: "1970-01-01T00:00:00.000Z",
    ...parts,
    body,
  };
  return Buffer.from(canonicalJson(envelope), "utf8");
}
