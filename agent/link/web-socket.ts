import type { Duplex } from "node:stream";
import type { WebSocket as WebSocketClient } from "ws";
import { Fault } from "#core/fault.ts";
import type { LinkSettings } from "./link-settings.ts";

/** How to open a WebSocket. */
export interface WebSocketOptions {
  readonly signal: AbortSignal;
  /** Largest message of the WebSocket that is read. */
  readonly maxBytes: number;
}

/**
 * MQTT in a WebSocket (MQTT 5.0 section 6) on a stream that is open already, with TLS or without it.
 * Throws `link/refused` where the server answers something else, and what the stream says.
 */
export async function openWebSocket(
  stream: Duplex,
  settings: LinkSettings,
  { signal, maxBytes }: WebSocketOptions,
): Promise<Duplex> {
  const { host, port, webSocketPath = "/" } = settings;
  const { WebSocket, createWebSocketStream } = await import("ws");
  const name = settings.tls?.serverName ?? host;
  const authority = name.includes(":") ? `[${name}]` : name;
  const client = new WebSocket(`ws://${authority}:${port}${webSocketPath}`, ["mqtt"], {
    createConnection: () => stream as never,
    perMessageDeflate: false,
    maxPayload: maxBytes,
    followRedirects: false,
  });
  await opened(client, `${host}:${port}${webSocketPath}`, signal);
  return createWebSocketStream(client);
}

async function opened(client: WebSocketClient, where: string, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  try {
    await new Promise<void>((resolve, reject) => {
      client.once("open", resolve);
      client.once("error", reject);
      client.once("unexpected-response", (_request, { statusCode }) => {
        reject(
          new Fault("link/refused", `${where}: HTTP ${statusCode} in place of a WebSocket`, {
            hint: "check `report.mqtt.webSocket`: the path at which the broker takes WebSockets",
          }),
        );
      });
      signal.addEventListener("abort", () => reject(signal.reason), { signal: done.signal });
      if (signal.aborted) reject(signal.reason);
    });
    if (client.protocol !== "mqtt") {
      throw new Fault("link/refused", `${where}: the WebSocket is not one for MQTT`);
    }
  } catch (error) {
    client.on("error", () => {});
    client.terminate();
    throw error;
  } finally {
    done.abort();
  }
}
