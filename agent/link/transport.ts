import { createHash, X509Certificate } from "node:crypto";
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import { frameGuard } from "./frame-guard.ts";
import { type LinkSettings, readIdentity } from "./link-settings.ts";
import { openTunnel } from "./proxy-tunnel.ts";
import { untilEvent } from "./until-event.ts";
import { openWebSocket } from "./web-socket.ts";

/**
 * A refused message may be this many times larger than what is taken and still be read, so that it
 * can be refused by name; beyond it the connection is cut.
 */
const cutFactor = 16;

/** Opens a stream of bytes to the broker, ready for MQTT. Throws what the system, TLS or a proxy says, or the signal's reason. */
export type Transport = (signal: AbortSignal) => Promise<Duplex>;

/**
 * What lies below MQTT, from the outside in: a proxy's tunnel, TLS with verified names and pinned keys,
 * a WebSocket, and a guard against giant packets; TCP without Nagle's delay (which costs 44 ms a round
 * trip). The node's certificate and key are read for each connection, so that renewed ones count. The
 * TLS session of one connection is offered at the next, but not where keys are pinned: of a resumed
 * session the chain is not known.
 */
export function transport(io: Pick<Io, "files" | "env">, settings: LinkSettings): Transport {
  let tlsSession: Buffer | undefined;
  const maxBytes = settings.limits.maxIncomingBytes * cutFactor;
  return async (signal) => {
    const opened: Duplex[] = [];
    const keep = <T extends Duplex>(stream: T): T => {
      stream.on("error", () => {}); // whoever waits for it hears it too
      opened.push(stream);
      return stream;
    };
    try {
      const socket = keep(await openSocket(settings, signal, keep));
      let stream: Duplex = socket;
      if (settings.tls !== undefined) {
        const secure = keep(
          tls.connect({
            socket,
            ...tlsOptions(io, settings),
            ...(tlsSession === undefined ? {} : { session: tlsSession }),
          }),
        );
        await untilEvent(secure, "secureConnect", signal);
        requirePinned(secure, settings);
        secure.on("session", (session) => {
          if (settings.tls?.keyPins === undefined) tlsSession = session;
        });
        stream = secure;
      }
      if (settings.webSocketPath !== undefined)
        stream = keep(await openWebSocket(stream, settings, { signal, maxBytes }));
      return stream;
    } catch (error) {
      // The outermost ends what it stands on. The other way round, a socket that is destroyed below its
      // TLS, Node.js 24 ends with a segmentation fault when it collects garbage.
      opened.at(-1)?.destroy();
      throw error;
    }
  };
}

/** Cuts a stream in which a giant packet is announced. To be called when somebody reads from it at once. */
export function guarded(stream: Duplex, { limits }: LinkSettings): Duplex {
  const guard = frameGuard(limits.maxIncomingBytes * cutFactor);
  stream.on("data", (chunk: Buffer) => {
    const announced = guard.add(chunk);
    if (announced !== undefined) {
      stream.destroy(
        new Fault("link/message-refused", `the broker announced a packet of ${announced} bytes`),
      );
    }
  });
  return stream;
}

/** TCP to the broker, or through the proxy that is named. */
async function openSocket(
  settings: LinkSettings,
  signal: AbortSignal,
  keep: (socket: net.Socket) => net.Socket,
): Promise<net.Socket> {
  const { host, port, proxy } = settings;
  const socket = keep(net.connect(proxy === undefined ? { host, port } : proxy));
  await untilEvent(socket, "connect", signal);
  socket.setNoDelay(true);
  if (proxy !== undefined) await openTunnel(socket, { proxy, host, port, signal });
  return socket;
}

function tlsOptions(io: Pick<Io, "files" | "env">, settings: LinkSettings): tls.ConnectionOptions {
  const { host, tls: options = {} } = settings;
  const name = options.serverName ?? (net.isIP(host) === 0 ? host : undefined);
  return {
    minVersion: options.minimum === "1.2" ? "TLSv1.2" : "TLSv1.3",
    rejectUnauthorized: true,
    host,
    ...(name === undefined ? {} : { servername: name }),
    ...(options.serverName === undefined
      ? {}
      : {
          checkServerIdentity: (_host, certificate) =>
            tls.checkServerIdentity(options.serverName ?? host, certificate),
        }),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.identity === undefined ? {} : readIdentity(io, options.identity)),
  };
}

/** Throws `link/untrusted` where keys are pinned and the broker's chain holds none of them. */
function requirePinned(socket: tls.TLSSocket, { host, port, tls: options }: LinkSettings): void {
  const pins = options?.keyPins;
  if (pins === undefined) return;
  const found: string[] = [];
  for (let one = socket.getPeerCertificate(true); found.length < 16; one = one.issuerCertificate) {
    if (one?.raw === undefined) break;
    found.push(keyPin(new X509Certificate(one.raw)));
    if (one.issuerCertificate === one) break;
  }
  if (found.some((pin) => pins.includes(pin))) return;
  throw new Fault(
    "link/untrusted",
    `${host}:${port}: none of the broker's keys is pinned; it showed ${found.join(", ")}`,
    { hint: "where the broker has a new key that is right, name it in `report.mqtt.keyPins`" },
  );
}

/** `sha256/…` of a public key (SubjectPublicKeyInfo), as RFC 7469 section 2.4 has it. */
function keyPin({ publicKey }: X509Certificate): string {
  const key = publicKey.export({ type: "spki", format: "der" });
  return `sha256/${createHash("sha256").update(key).digest("base64")}`;
}
