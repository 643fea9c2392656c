import { durationMs } from "#core/duration.ts";
import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { Secret } from "#core/secret.ts";
import type { Settings } from "#generated/agent/settings.ts";
import { maxMessageBytes } from "#protocol/message.ts";
import type { NodeAddress } from "#protocol/topics.ts";

/** How the connection is encrypted; certificates are PEM. */
export interface TlsSettings {
  /** Certificate authority; the system's when absent. */
  readonly ca?: string;
  /** Name that the broker's certificate must hold; the host when absent. */
  readonly serverName?: string;
}

/** Everything the link needs to know, read once. */
export interface LinkSettings {
  readonly address: NodeAddress;
  readonly host: string;
  readonly port: number;
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

/**
 * The link as the settings say, with the files they name read; `undefined` when they name no broker.
 * `ca`: the certificate authority itself, in place of a file.
 * Throws `link/settings-invalid`.
 */
export function readLinkSettings(
  files: Files,
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
  const tls = mqtt.tls ?? false;
  return {
    address: { fleet: report?.fleet ?? "default", node },
    host: mqtt.host,
    port: mqtt.port ?? (tls ? 8883 : 1883),
    clientId: node,
    ...(tls ? { tls: authority(files, ca, mqtt.caFile) } : {}),
    ...(mqtt.username === undefined ? {} : { username: mqtt.username }),
    ...(mqtt.passwordFile === undefined
      ? {}
      : {
          password: new Secret(
            readFile(files, "passwordFile", mqtt.passwordFile).replace(/\r?\n$/, ""),
          ),
        }),
    acknowledge: mqtt.acknowledge ?? "broker",
    healthIntervalMs: durationMs(report?.healthInterval, defaultHealthIntervalMs),
    limits: defaultLimits,
  };
}

function authority(files: Files, ca: string | undefined, file: string | undefined): TlsSettings {
  if (ca !== undefined) return { ca };
  return file === undefined ? {} : { ca: readFile(files, "caFile", file) };
}

function readFile(files: Files, key: string, path: string): string {
  const text = files.readText(path, { maxBytes: maxFileBytes });
  if (text === undefined || text === "") {
    const below = files.root === "/" ? "" : ` below ${files.root}, which --root names`;
    const what = text === "" ? "is empty" : `does not exist${below}`;
    throw new Fault("link/settings-invalid", `report.mqtt.${key}: ${path} ${what}`);
  }
  return text;
}
