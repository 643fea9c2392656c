import type { Cmd } from "#generated/protocol/messages/cmd.ts";
import { validate as validateCmd } from "#generated/protocol/messages/cmd.validate.js";
import { validate as validateDesired } from "#generated/protocol/messages/desired.validate.js";
import type { FleetEnvelope } from "#generated/protocol/messages/fleet-envelope.ts";
import { validate as validateEnvelope } from "#generated/protocol/messages/fleet-envelope.validate.js";
import { checked } from "./metadata.ts";
import type { Offer } from "./offer.ts";
import { readUntrusted } from "./read-untrusted.ts";

/**
 * The offer in a whole message `desired`, as it came over the wire or on a stick. What the envelope
 * says is signed by nobody, so nothing hangs on it: not even when it says that it has expired.
 * Throws `trust/limit`, `trust/malformed`.
 */
export function readOffer(bytes: Uint8Array): Offer {
  return checked<Offer>(validateDesired, bodyOf(bytes), "desired");
}

/** The signed command in a whole message `cmd`; as {@link readOffer}. */
export function readCommandMessage(bytes: Uint8Array): Cmd {
  return checked<Cmd>(validateCmd, bodyOf(bytes), "cmd");
}

function bodyOf(bytes: Uint8Array): unknown {
  return checked<FleetEnvelope>(validateEnvelope, readUntrusted(bytes), "envelope").body;
}
