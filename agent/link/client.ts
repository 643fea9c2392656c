import type { Duplex } from "node:stream";
import type { IClientOptions, IConnackPacket, IPublishPacket, MqttClient } from "mqtt";
import { Fault, isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import {
  ClosedWithoutWord,
  connectFault,
  lostFault,
  reasonFault,
  refusesVersion,
  tlsHint,
} from "./connect-fault.ts";
import { within } from "./deadline.ts";
import type { LinkSettings } from "./link-settings.ts";
import { guarded, type Transport, transport } from "./transport.ts";

/** Versions of MQTT as CONNECT numbers them: 4 is 3.1.1. */
export type MqttVersion = 4 | 5;

/** A message to publish. */
export interface Outgoing {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retained: boolean;
  /** Told to brokers that can forget a message by themselves (MQTT 5). */
  readonly expirySeconds?: number;
}

/** What comes with a message. */
export interface Arrival {
  /** Whether the broker had kept it from before. */
  readonly retained: boolean;
}

/** What a connection is opened with. */
export interface ConnectOptions {
  /**
   * Makes what the broker publishes when the node is lost; called when the broker is about to be told,
   * so not where nobody answers. `null`: a visitor, of whom the broker keeps nothing.
   */
  readonly will: (() => Outgoing) | null;
  /** Has the broker forget what it kept for this client, messages on their way included. */
  readonly fresh?: boolean;
  /**
   * Works on a message; the broker gets its PUBACK when this resolves, so everything durable must be
   * done by then. When it rejects, the connection is cut and the message comes again, but for
   * `link/message-refused`: such a message is logged and done with.
   */
  readonly onMessage: (topic: string, payload: Uint8Array, arrival: Arrival) => Promise<void>;
  /** Gives up connecting. */
  readonly signal?: AbortSignal;
  /** Cuts the connection at any time, without a farewell. */
  readonly cut?: AbortSignal;
}

/** One connection to the broker. It does not come back by itself: open another one. */
export interface Session {
  readonly version: MqttVersion;
  /** Whether the broker still knew this client. */
  readonly resumed: boolean;
  /** Messages that the broker takes before it has acknowledged the first. */
  readonly receiveMaximum: number;
  /** Aborted when the connection is gone, with the fault as its reason. */
  readonly gone: AbortSignal;
  /** Resolves with the broker's PUBACK (QoS 1) or when written (QoS 0). Throws `link/refused`, `link/timeout`, `link/lost`. */
  publish(message: Outgoing): Promise<void>;
  subscribe(topics: readonly string[]): Promise<void>;
  /** Leaves properly: the broker does not publish the last will. Never throws. */
  end(): Promise<void>;
}

/** Opens connections to one broker and remembers which version it speaks. */
export interface Connector {
  /** Throws `link/unreachable`, `link/untrusted`, `link/refused`, `link/timeout`, or the signal's reason. */
  connect(options: ConnectOptions): Promise<Session>;
  /** Whether bytes get as far as to the broker, TLS included, without a word of MQTT. Throws as connecting does. */
  reach(signal: AbortSignal): Promise<void>;
}

const endTimeoutMs = 2_000;

/** A connector: MQTT 5 first, and 3.1.1 when the broker refuses the version. MQTT.js is loaded with the first connection. */
export function connector(io: Io, log: Log, settings: LinkSettings): Connector {
  const open = transport(io, settings);
  let version: MqttVersion = 5;
  return {
    async connect(options) {
      // Its client alone: the connectors that it has for browsers, WebSockets and SOCKS stay away.
      const { default: mqtt } = await import("mqtt/lib/client");
      const will = options.will === null ? null : once(options.will); // a version that is refused has none
      const start = (wanted: MqttVersion) =>
        openSession({
          io,
          log,
          settings,
          open,
          version: wanted,
          Client: mqtt.default,
          ...options,
          will,
        });
      if (version === 4) return start(4);
      try {
        return await start(5);
      } catch (error) {
        if (!(error instanceof VersionRefused)) throw error;
        log.info("link.version.refused", {
          host: settings.host,
          wanted: 5,
          message: error.message,
        });
      }
      const session = await start(4);
      version = 4;
      return session;
    },
    async reach(signal) {
      const stream = await openStream(
        { io, settings, open, signal },
        `${settings.host}:${settings.port}`,
      );
      stream.destroy();
    },
  };
}

/** The same each time. */
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** MQTT 5 was not understood: told apart from faults because it has its own way on. */
class VersionRefused extends Error {}

interface OpenOptions extends ConnectOptions {
  readonly io: Io;
  readonly log: Log;
  readonly settings: LinkSettings;
  readonly open: Transport;
  readonly version: MqttVersion;
  readonly Client: typeof MqttClient;
}

async function openSession(options: OpenOptions): Promise<Session> {
  const { io, settings, version, Client, signal, cut } = options;
  const { connectTimeoutMs } = settings.limits;
  const where = `${settings.host}:${settings.port}`;
  const startedMs = io.clock.monotonicMs();
  const stream = await openStream(options, where);
  const leftMs = connectTimeoutMs - (io.clock.monotonicMs() - startedMs);
  const client = new Client(() => guarded(stream, settings), clientOptions(options));
  const gone = watch(client, where);
  takeMessages(client, options, gone);
  cut?.addEventListener("abort", () => gone.cut(connectFault(cut.reason, where)), {
    signal: gone.signal,
  });
  const connected = new Promise<IConnackPacket>((resolve) => client.once("connect", resolve));
  try {
    const answer = await within(connected, {
      clock: io.clock,
      timeoutMs: Math.max(leftMs, 1),
      late: `${where}: no answer to CONNECT`,
      signal: signal === undefined ? gone.signal : AbortSignal.any([signal, gone.signal]),
    });
    return toSession(client, options, gone.signal, answer);
  } catch (error) {
    client.end(true);
    if (version === 5 && (refusesVersion(gone.error()) || gone.silent()))
      throw new VersionRefused(messageOf(error));
    if (isFault(error, "link/lost")) {
      throw new Fault(
        "link/unreachable",
        `${where}: the broker closed the connection before it answered`,
        { hint: tlsHint },
      );
    }
    throw error;
  }
}

/** The bytes below MQTT, within the time for the whole. */
async function openStream(
  options: Pick<OpenOptions, "io" | "settings" | "open" | "signal" | "cut">,
  where: string,
): Promise<Duplex> {
  const { io, settings, signal, cut } = options;
  const late = new AbortController();
  const ends = [late.signal, signal, cut].filter((one) => one !== undefined);
  for (const end of ends) end.throwIfAborted();
  const opening = options.open(AbortSignal.any(ends));
  try {
    return await within(opening, {
      clock: io.clock,
      timeoutMs: settings.limits.connectTimeoutMs,
      late: `${where}: no connection`,
    });
  } catch (error) {
    late.abort(error);
    if (signal?.aborted === true) throw signal.reason;
    throw connectFault(error, where);
  }
}

function clientOptions({ settings, version, will, fresh }: OpenOptions): IClientOptions {
  const { limits } = settings;
  return {
    protocolId: "MQTT",
    protocolVersion: version,
    clientId: settings.clientId,
    clean: will === null || fresh === true,
    keepalive: limits.keepAliveSeconds,
    connectTimeout: limits.connectTimeoutMs * 2, // ours comes first
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    writeCache: false, // its table of prepared numbers is 19 MB
    timerVariant: "native",
    ...(settings.username === undefined ? {} : { username: settings.username }),
    ...(settings.password === undefined ? {} : { password: settings.password.reveal() }),
    ...(will === null ? {} : { will: lastWill(will(), version, limits) }),
    ...(version === 5
      ? {
          properties: {
            sessionExpiryInterval: will === null ? 0 : limits.sessionExpirySeconds,
            receiveMaximum: 8,
            maximumPacketSize: limits.maxIncomingBytes,
          },
        }
      : {}),
  };
}

function lastWill(
  { topic, payload, qos, retained }: Outgoing,
  version: MqttVersion,
  { willDelaySeconds }: LinkSettings["limits"],
): NonNullable<IClientOptions["will"]> {
  const properties = { willDelayInterval: willDelaySeconds, contentType: "application/json" };
  const plain = { topic, payload: Buffer.from(payload), qos, retain: retained };
  return version === 5 ? { ...plain, properties } : plain;
}

/** How a connection ended. */
interface Ending {
  readonly signal: AbortSignal;
  /** Cuts the connection. */
  cut(fault: Fault): void;
  /** What MQTT.js said first. */
  error(): unknown;
  /** Whether it ended without any word, as some brokers do that do not know the version. */
  silent(): boolean;
}

function watch(client: MqttClient, where: string): Ending {
  const controller = new AbortController();
  let first: unknown;
  let reference: string | undefined;
  let connected = false;
  let closed = false;
  const end = (fault: Fault) => {
    if (!controller.signal.aborted) controller.abort(fault);
  };
  client.once("connect", () => {
    connected = true;
  });
  client.on("packetreceive", (packet) => {
    if (packet.cmd === "connack") reference = packet.properties?.serverReference;
  });
  client.on("error", (error) => {
    first ??= error;
    end(connected ? lostFault(error, where) : connectFault(error, where, reference));
  });
  client.on("disconnect", ({ reasonCode = 0, properties }) => {
    const text = `${where}: the broker ended the connection with reason ${reasonCode}`;
    end(
      reasonFault(reasonCode, where, properties?.serverReference) ?? new Fault("link/lost", text),
    );
  });
  client.on("close", () => {
    closed = true;
    end(new ClosedWithoutWord(where));
  });
  return {
    signal: controller.signal,
    cut(fault) {
      end(fault);
      client.stream?.destroy();
    },
    error: () => first,
    silent: () => closed && first === undefined,
  };
}

/** Hands messages to the owner and holds the PUBACK back until its work is done. */
function takeMessages(client: MqttClient, options: OpenOptions, ending: Ending): void {
  const { io, log, settings, onMessage } = options;
  const { maxIncomingBytes, workTimeoutMs } = settings.limits;
  const take = async ({ topic, payload, retain }: IPublishPacket): Promise<void> => {
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    if (bytes.length > maxIncomingBytes) {
      throw new Fault(
        "link/message-refused",
        `${topic}: ${bytes.length} bytes where at most ${maxIncomingBytes} are taken`,
      );
    }
    const late = `${topic}: a message was not worked on`;
    const work = onMessage(topic, bytes, { retained: retain });
    await within(work, { clock: io.clock, timeoutMs: workTimeoutMs, late });
  };
  client.handleMessage = (packet, done) => {
    take(packet).then(
      () => done(),
      (error: unknown) => {
        if (isFault(error, "link/message-refused")) {
          log.warning("link.message.refused", { topic: packet.topic, message: error.message });
          done();
          return;
        }
        log.error("link.message.failed", { topic: packet.topic, message: messageOf(error) });
        const lost = `${packet.topic}: a message could not be stored`;
        ending.cut(
          isFault(error, "link/no-answer") ? error : new Fault("link/lost", lost, { cause: error }),
        );
      },
    );
  };
}

function toSession(
  client: MqttClient,
  options: OpenOptions,
  gone: AbortSignal,
  answer: IConnackPacket,
): Session {
  const { io, settings, version, log } = options;
  const { clock } = io;
  const timeoutMs = settings.limits.answerTimeoutMs;
  const where = `${settings.host}:${settings.port}`;
  const resumed = answer.sessionPresent;
  log.info("link.connected", {
    host: settings.host,
    port: settings.port,
    mqtt: version === 5 ? "5" : "3.1.1",
    resumed,
  });
  const answered = async <T>(work: Promise<T>, late: string): Promise<T> => {
    try {
      return await within(work, { clock, timeoutMs, late: `${where}: ${late}`, signal: gone });
    } catch (error) {
      throw connectFault(error, where);
    }
  };
  return {
    version,
    resumed,
    receiveMaximum: answer.properties?.receiveMaximum ?? 65_535,
    gone,
    async publish({ topic, payload, qos, retained, expirySeconds }) {
      gone.throwIfAborted();
      io.effect(`publish ${topic}`);
      const properties = {
        contentType: "application/json",
        payloadFormatIndicator: true,
        ...(expirySeconds === undefined ? {} : { messageExpiryInterval: expirySeconds }),
      };
      const publishing = client.publishAsync(topic, payload, {
        qos,
        retain: retained,
        ...(version === 5 ? { properties } : {}),
      });
      await answered(publishing, `no PUBACK for ${topic}`);
    },
    async subscribe(topics) {
      gone.throwIfAborted();
      await answered(client.subscribeAsync([...topics], { qos: 1 }), "no SUBACK");
    },
    async end() {
      if (gone.aborted) {
        client.end(true);
        return;
      }
      const ending = client.endAsync();
      await within(ending, { clock, timeoutMs: endTimeoutMs, late: "no end" }).catch(() =>
        client.end(true),
      );
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
