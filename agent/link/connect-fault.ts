import { Fault, isFault } from "#core/fault.ts";

/** CONNACK codes that say "I do not speak this version": MQTT 3.1.1 section 3.2.2.3, MQTT 5.0 section 3.2.2.2. */
const versionRefused = new Set([1, 132]);

/** Whether the broker answered that it does not speak the version it was asked in. */
export function refusesVersion(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "number" && versionRefused.has(code);
}

/** The broker says that the node should go to another one. */
export class MovedFault extends Fault<"link/moved"> {
  /** Whom it names, if it does: `host:port`. */
  readonly reference: string | undefined;

  constructor(where: string, reference: string | undefined) {
    const to = reference === undefined ? "another broker" : JSON.stringify(reference.slice(0, 256));
    super("link/moved", `${where}: the broker sends this node to ${to}`);
    this.reference = reference;
  }
}

/** The broker closed a connection without a reason, as MQTT 3.1.1 has it. */
export class ClosedWithoutWord extends Fault<"link/lost"> {
  constructor(where: string, how = "the connection was closed") {
    super("link/lost", `${where}: ${how}`);
  }
}

const sessionTakenOver = 142;
/** Unavailable (3.1.1 and 5), busy, quota exceeded, connection rate exceeded. */
const overloaded = new Set([3, 136, 137, 151, 159]);
const moved = new Set([156, 157]);

/** What a broker's reason says that calls for more than another try; MQTT 5.0 sections 3.2.2.2 and 3.14.2.1. */
export function reasonFault(reason: number, where: string, reference?: string): Fault | undefined {
  if (moved.has(reason)) return new MovedFault(where, reference);
  if (overloaded.has(reason)) {
    return new Fault("link/overloaded", `${where}: the broker takes no more now (${reason})`);
  }
  if (reason !== sessionTakenOver) return undefined;
  return new Fault(
    "link/session-conflict",
    `${where}: another client connected with this node's client id`,
  );
}

/**
 * What went wrong on the way to a broker, or with it, as a fault. `where` is `host:port`; `reference`
 * is the broker that this one names in its place.
 */
export function connectFault(error: unknown, where: string, reference?: string): Fault {
  if (isFault(error)) return error;
  const cause = error instanceof AggregateError ? error.errors[0] : error;
  const { code, message = String(cause) } = (cause ?? {}) as { code?: unknown; message?: string };
  // MQTT.js gives the broker's own answers a number, Node.js gives failures of the system a name.
  if (typeof code === "number")
    return (
      reasonFault(code, where, reference) ??
      new Fault("link/refused", `${where}: ${lower(message)}`, { cause: error })
    );
  const name = typeof code === "string" ? code : "";
  if (isTrustFailure(name)) {
    return new Fault("link/untrusted", `${where}: ${lower(message)} (${name})`, {
      cause: error,
      ...(isPlain(name) ? { hint: plainHint } : {}),
      ...(isOld(name) ? { hint: oldHint } : {}),
    });
  }
  const text = message === "" ? name : lower(message);
  return new Fault("link/unreachable", `${where}: ${text || "connection failed"}`, {
    cause: error,
    ...(endsUnknown.has(name) ? { hint: tlsHint } : {}),
  });
}

/** How a broker that awaits TLS ends a connection in the clear, before it has answered. */
const endsUnknown = new Set(["ECONNRESET", "EPIPE"]);
export const tlsHint =
  "the broker ended it without an answer: where the port is one for TLS, `report.mqtt.tls` must be true, and else it must not";
const plainHint =
  "what answers there is not TLS: name the port that is, or leave `report.mqtt.tls` out";

/** Whether the other side does not speak TLS at all. */
function isPlain(code: string): boolean {
  return code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG";
}

/** Whether no version of TLS is spoken by both sides. */
function isOld(code: string): boolean {
  return /_(PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW)$/.test(code);
}
const oldHint =
  "the broker does not speak TLS 1.3; where that cannot be mended, `report.mqtt.tlsMinimum` may say 1.2";

/** What ended a connection that had been made. */
export function lostFault(error: unknown, where: string): Fault {
  if (isFault(error)) return error;
  const { code = "", message } = error as Error & { readonly code?: string };
  if (endsUnknown.has(code)) return new ClosedWithoutWord(where, lower(message));
  return new Fault("link/lost", `${where}: ${lower(message)}`, { cause: error });
}

/** Codes of OpenSSL and of Node.js's own checks of a certificate. */
function isTrustFailure(code: string): boolean {
  return (
    /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|HOSTNAME_|PATH_LENGTH_)/.test(
      code,
    ) || code === "EPROTO"
  );
}

function lower(message: string): string {
  return message.slice(0, 1).toLowerCase() + message.slice(1);
}
