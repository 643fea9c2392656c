import { durationMs } from "#core/duration.ts";
import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import { Secret } from "#core/secret.ts";
import type { Settings } from "#generated/agent/settings.ts";
import { maxMessageBytes } from "#protocol/message.ts";
import type { NodeAddress } from "#protocol/topics.ts";

/** How the connection is encrypted; certificates are PEM. */
export interface TlsSettings {
  /** Certificate authority, and then no other; the system's when absent. */
  readonly ca?: string;
  /** Name that the broker's certificate must hold; the host when absent. */
  readonly serverName?: string;
  /** The oldest version that is spoken; 1.3 when absent. */
  readonly minimum?: "1.2";
  /** One of these keys must be in the broker's chain: `sha256/` and base64. */
  readonly keyPins?: readonly string[];
  /** The node's own certificate. */
  readonly identity?: TlsIdentity;
}

/** Where the node's certificate (with its chain) and key lie: paths, or `credential:NAME`. Read for each connection. */
export interface TlsIdentity {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A broker's place. */
export interface BrokerPlace {
  readonly host: string;
  readonly port: number;
  /** As {@link TlsSettings.serverName}. */
  readonly serverName?: string;
  /** MQTT in a WebSocket at this path; straight on TCP or TLS when absent. */
  readonly webSocketPath?: string;
}

/** An HTTP proxy that opens tunnels. */
export interface ProxySettings {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: Secret<string>;
}

/** Everything the link needs to know, read once. */
export interface LinkSettings {
  readonly address: NodeAddress;
  readonly host: string;
  readonly port: number;
  /** As {@link BrokerPlace.webSocketPath}. */
  readonly webSocketPath?: string;
  /** Brokers that are tried after the first one, in order. */
  readonly others?: readonly BrokerPlace[];
  readonly proxy?: ProxySettings;
  /** Stable, so that the broker keeps the session; the node's name by default. */
  readonly clientId: string;
  readonly tls?: TlsSettings;
  readonly username?: string;
  readonly password?: Secret<string>;
  /** Who says that an event arrived. */
  readonly acknowledge: "broker" | "server";
  readonly healthIntervalMs: number;
  readonly limits: LinkLimits;
}

/** Bounds of the link; every wait and every queue has one. */
export interface LinkLimits {
  /** Name look-up, TCP, TLS and CONNACK together. */
  readonly connectTimeoutMs: number;
  /** One PUBACK or SUBACK. */
  readonly answerTimeoutMs: number;
  /** Work on one incoming message before its PUBACK. */
  readonly workTimeoutMs: number;
  readonly keepAliveSeconds: number;
  /** How long the broker keeps the session of a node that is away (MQTT 5). */
  readonly sessionExpirySeconds: number;
  /** How long the broker waits before it tells of a lost node (MQTT 5): short breaks stay unseen. */
  readonly willDelaySeconds: number;
  /** Largest message that is taken. */
  readonly maxIncomingBytes: number;
  /** Events sent and not yet acknowledged by the broker. */
  readonly window: number;
  /** Events sent and not yet acknowledged by the server, where the server acknowledges. */
  readonly serverWindow: number;
  /** After so long without an ack from the server, what it has not acknowledged is sent again; doubles each time. */
  readonly resendAfterMs: number;
  readonly resendMostMs: number;
  readonly backOffFirstMs: number;
  readonly backOffMostMs: number;
}

export const defaultLimits: LinkLimits = {
  connectTimeoutMs: 15_000,
  answerTimeoutMs: 20_000,
  workTimeoutMs: 20_000,
  keepAliveSeconds: 60,
  sessionExpirySeconds: 7 * 24 * 3600,
  willDelaySeconds: 10,
  maxIncomingBytes: maxMessageBytes,
  window: 16, // below mosquitto's default of 20 messages in flight
  serverWindow: 256, // well below the 1,000 that mosquitto queues for a server that is away
  resendAfterMs: 60_000,
  resendMostMs: 3_600_000,
  backOffFirstMs: 1_000,
  backOffMostMs: 120_000,
};

const maxFileBytes = 256 * 1024;
const defaultHealthIntervalMs = 60_000;
/** The shortest that is taken: below it a slow network would look like a lost one. */
const leastKeepAliveSeconds = 5;
/** What MQTT can say at most. */
const mostKeepAliveSeconds = 65_535;

type Mqtt = NonNullable<NonNullable<Settings["report"]>["mqtt"]>;
type Machine = Pick<Io, "files" | "env">;

/**
 * The link as the settings say, with the files they name read; `undefined` when they name no broker.
 * `ca`: the certificate authority itself, in place of a file.
 * Throws `link/settings-invalid`.
 */
export function readLinkSettings(
  io: Machine,
  report: Settings["report"],
  instanceId: string | undefined,
  ca?: string,
): LinkSettings | undefined {
  const mqtt = report?.mqtt;
  if (mqtt === undefined) return undefined;
  const node = report?.node ?? instanceId;
  if (node === undefined) {
    throw new Fault(
      "link/settings-invalid",
      "report: the node has no name and no instance-id yet",
      {
        hint: "set report.node in the settings, or boot once with a datasource",
      },
    );
  }
  const { proxy, brokers = [] } = mqtt;
  const tls = tlsSettings(io, mqtt, ca);
  const [first, ...others] = [mqtt, ...brokers].map((place) => brokerPlace(mqtt, place));
  const { serverName: _inTls, ...place } = first as BrokerPlace;
  return {
    address: { fleet: report?.fleet ?? "default", node },
    ...place,
    ...(others.length === 0 ? {} : { others }),
    ...(proxy === undefined ? {} : { proxy: proxySettings(io, proxy) }),
    clientId: node,
    ...(tls === undefined ? {} : { tls }),
    ...(mqtt.username === undefined ? {} : { username: mqtt.username }),
    ...(mqtt.passwordFile === undefined
      ? {}
      : { password: readPassword(io, "passwordFile", mqtt.passwordFile) }),
    acknowledge: mqtt.acknowledge ?? "broker",
    healthIntervalMs: durationMs(report?.healthInterval, defaultHealthIntervalMs),
    limits: { ...defaultLimits, keepAliveSeconds: keepAliveSeconds(mqtt) },
  };
}

/** The settings for each broker, the first one first. */
export function settingsOfBrokers(settings: LinkSettings): readonly LinkSettings[] {
  const { others = [], ...first } = settings;
  return [
    first,
    ...others.map(({ serverName, webSocketPath, ...place }) => {
      const { webSocketPath: _ofFirst, tls, ...rest } = first;
      const { serverName: _name, ...same } = tls ?? {};
      return {
        ...rest,
        ...place,
        ...(webSocketPath === undefined ? {} : { webSocketPath }),
        ...(tls === undefined
          ? {}
          : { tls: serverName === undefined ? same : { ...same, serverName } }),
      };
    }),
  ];
}

/** The node's certificate and key as they are now, PEM. Throws `link/settings-invalid`. */
export function readIdentity(
  io: Machine,
  { certFile, keyFile }: TlsIdentity,
): { readonly cert: string; readonly key: string } {
  return {
    cert: readFile(io, "certFile", certFile),
    key: readFile(io, "keyFile", keyFile),
  };
}

/** Ports when none is named: of MQTT by the registry of IANA, of WebSockets those of HTTP. */
function brokerPlace(mqtt: Mqtt, place: NonNullable<Mqtt["brokers"]>[number]): BrokerPlace {
  const { host, port, serverName, webSocket } = place;
  const tls = mqtt.tls ?? false;
  const [plain, secure] = webSocket === undefined ? [1883, 8883] : [80, 443];
  return {
    host,
    port: port ?? (tls ? secure : plain),
    ...(serverName === undefined ? {} : { serverName }),
    ...(webSocket === undefined ? {} : { webSocketPath: webSocket }),
  };
}

function tlsSettings(io: Machine, mqtt: Mqtt, ca: string | undefined): TlsSettings | undefined {
  const { caFile, certFile, keyFile, serverName, tlsMinimum, keyPins } = mqtt;
  if (mqtt.tls !== true) {
    const wants = Object.entries({ certFile, keyFile, keyPins }).find(([, value]) => value);
    if (wants === undefined) return undefined;
    throw new Fault(
      "link/settings-invalid",
      `report.mqtt.${wants[0]}: there are certificates with TLS only`,
      { hint: "set report.mqtt.tls to true" },
    );
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const [there, missing] =
      keyFile === undefined ? ["certFile", "keyFile"] : ["keyFile", "certFile"];
    throw new Fault(
      "link/settings-invalid",
      `report.mqtt.${there}: expected report.mqtt.${missing} beside it`,
    );
  }
  const authority = ca ?? (caFile === undefined ? undefined : readFile(io, "caFile", caFile));
  return {
    ...(authority === undefined ? {} : { ca: authority }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(tlsMinimum === "1.2" ? { minimum: tlsMinimum } : {}),
    ...(keyPins === undefined ? {} : { keyPins }),
    ...(certFile === undefined || keyFile === undefined ? {} : { identity: { certFile, keyFile } }),
  };
}

function proxySettings(io: Machine, proxy: NonNullable<Mqtt["proxy"]>): ProxySettings {
  const { host, port, username, passwordFile } = proxy;
  return {
    host,
    port,
    ...(username === undefined ? {} : { username }),
    ...(passwordFile === undefined
      ? {}
      : { password: readPassword(io, "proxy.passwordFile", passwordFile) }),
  };
}

function keepAliveSeconds({ keepAlive }: Mqtt): number {
  const seconds = Math.round(durationMs(keepAlive, defaultLimits.keepAliveSeconds * 1000) / 1000);
  if (seconds >= leastKeepAliveSeconds && seconds <= mostKeepAliveSeconds) return seconds;
  throw new Fault(
    "link/settings-invalid",
    `report.mqtt.keepAlive: expected ${leastKeepAliveSeconds}s to ${mostKeepAliveSeconds}s, got ${keepAlive}`,
  );
}

function readPassword(io: Machine, key: string, named: string): Secret<string> {
  return new Secret(readFile(io, key, named).replace(/\r?\n$/, ""));
}

const credentialPrefix = "credential:";

function readFile({ files, env }: Machine, key: string, named: string): string {
  const directory = env["CREDENTIALS_DIRECTORY"];
  const isCredential = named.startsWith(credentialPrefix);
  if (isCredential && directory === undefined) {
    throw new Fault(
      "link/settings-invalid",
      `report.mqtt.${key}: ${named}, but systemd has given this process no credentials`,
      { hint: "name it in LoadCredential= of firstlight-agent.service, and of who else reports" },
    );
  }
  const path = isCredential ? `${directory}/${named.slice(credentialPrefix.length)}` : named;
  const text = files.readText(path, { maxBytes: maxFileBytes });
  if (text === undefined || text === "") {
    const below = files.root === "/" ? "" : ` below ${files.root}, which --root names`;
    const what = text === "" ? "is empty" : `does not exist${below}`;
    throw new Fault("link/settings-invalid", `report.mqtt.${key}: ${path} ${what}`);
  }
  return text;
}
