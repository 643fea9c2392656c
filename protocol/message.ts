import { canonicalJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Ack } from "#generated/protocol/messages/ack.ts";
import type { Envelope } from "#generated/protocol/messages/envelope.ts";
import type { FleetEnvelope } from "#generated/protocol/messages/fleet-envelope.ts";

/** Most bytes of a message in either direction; a broker is told so where it can be (MQTT 5). */
export const maxMessageBytes = 256 * 1024;

/** What goes around a body, but for the version. */
export type EnvelopeParts = Omit<Envelope, "v" | "body"> & { readonly body: unknown };

/** A node's message as it goes over the wire: canonical JSON. Throws `secret/serialised` on a secret. */
export function writeMessage(parts: EnvelopeParts): string {
  return canonicalJson({ v: 1, ...parts });
}

/** Bodies of messages to a node, by topic. */
export interface FleetBodies {
  readonly ack: Ack;
}

/** A message to a node that was looked at whole: its form is right and it has not expired. */
export interface FleetMessage<T extends keyof FleetBodies> {
  readonly envelope: FleetEnvelope;
  readonly body: FleetBodies[T];
}

/** How to read a message to a node. */
export interface ReadOptions {
  /** Milliseconds since 1970, against which `expiresAt` is held. */
  readonly nowMs: number;
  readonly maxBytes?: number;
}

/**
 * Reads a message to a node from bytes that nobody has looked at yet. Throws `link/message-refused`
 * when it is too large, no UTF-8, no JSON, not of the schema, or expired.
 */
export async function readFleetMessage<T extends keyof FleetBodies>(
  topic: T,
  payload: Uint8Array,
  options: ReadOptions,
): Promise<FleetMessage<T>> {
  const limit = options.maxBytes ?? maxMessageBytes;
  if (payload.length > limit)
    throw refused(topic, `${payload.length} bytes where at most ${limit} are taken`);
  const envelope = await check<FleetEnvelope>(
    topic,
    parse(topic, payload),
    import("#generated/protocol/messages/fleet-envelope.validate.js"),
  );
  if (envelope.expiresAt !== undefined && Date.parse(envelope.expiresAt) <= options.nowMs) {
    throw refused(topic, `expired at ${envelope.expiresAt}`);
  }
  const body = await check<FleetBodies[T]>(topic, envelope.body, bodyValidators[topic]());
  return { envelope, body };
}

interface Validator {
  readonly validate: ((value: unknown) => boolean) & {
    readonly errors?:
      | readonly { readonly instancePath: string; readonly message?: string | undefined }[]
      | null;
  };
}

const bodyValidators: Readonly<Record<keyof FleetBodies, () => Promise<Validator>>> = {
  ack: () => import("#generated/protocol/messages/ack.validate.js"),
};

function parse(topic: string, payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch (error) {
    throw refused(topic, "not JSON in UTF-8", error);
  }
}

async function check<T>(topic: string, value: unknown, loading: Promise<Validator>): Promise<T> {
  const { validate } = await loading;
  if (validate(value)) return value as T;
  const faults = (validate.errors ?? [])
    .slice(0, 3)
    .map((error) => `${error.instancePath || "/"} ${error.message ?? ""}`.trim());
  throw refused(topic, faults.join("; "));
}

function refused(topic: string, why: string, cause?: unknown): Fault {
  return new Fault(
    "link/message-refused",
    `${topic}: ${why}`,
    cause === undefined ? {} : { cause },
  );
}
