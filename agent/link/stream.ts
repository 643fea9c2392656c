import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { Fault } from "#core/fault.ts";
import { frameGuard } from "./frame-guard.ts";
import type { LinkSettings } from "./link-settings.ts";

/**
 * A refused message may be this many times larger than what is taken and still be read, so that it
 * can be refused by name; beyond it the connection is cut.
 */
const cutFactor = 16;

/** Opens a new connection to the broker each time it is called. */
export type StreamBuilder = () => Duplex;

/**
 * Builds the byte streams below MQTT: TCP without Nagle's delay (MQTT.js leaves it on, which costs
 * 44 ms a round trip), TLS with verified names, and a guard against giant packets. The TLS session
 * of one connection is offered at the next.
 */
export function streamBuilder(settings: LinkSettings): StreamBuilder {
  let tlsSession: Buffer | undefined;
  return () => {
    const { host, port } = settings;
    const socket =
      settings.tls === undefined
        ? net.connect({ host, port })
        : tls.connect({
            host,
            port,
            ...tlsOptions(settings),
            ...(tlsSession === undefined ? {} : { session: tlsSession }),
          });
    socket.on("connect", () => socket.setNoDelay(true));
    if (socket instanceof tls.TLSSocket) {
      socket.on("session", (session) => {
        tlsSession = session;
      });
    }
    const guard = frameGuard(settings.limits.maxIncomingBytes * cutFactor);
    socket.on("data", (chunk: Buffer) => {
      const announced = guard.add(chunk);
      if (announced !== undefined) {
        socket.destroy(
          new Fault("link/message-refused", `the broker announced a packet of ${announced} bytes`),
        );
      }
    });
    return socket;
  };
}

function tlsOptions({ host, tls: options = {} }: LinkSettings): tls.ConnectionOptions {
  const name = options.serverName ?? (net.isIP(host) === 0 ? host : undefined);
  return {
    minVersion: "TLSv1.2",
    rejectUnauthorized: true,
    ...(name === undefined ? {} : { servername: name }),
    ...(options.serverName === undefined
      ? {}
      : {
          checkServerIdentity: (_host, certificate) =>
            tls.checkServerIdentity(options.serverName ?? host, certificate),
        }),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  };
}
