import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import type { Duplex } from "node:stream";

/** A proxy on loopback that takes CONNECT, and what it saw. */
export interface TunnelProxy {
  readonly port: number;
  /** What tunnels were asked to. */
  readonly asked: readonly string[];
  /** From now on it passes nothing on and closes nothing, as a router does that forgot the connection. */
  goSilent(): void;
}

/** Starts a proxy; with `credentials` (`user:password`) it lets in only who shows them. */
export async function startProxy(
  t: { teardown(end: () => void): void },
  credentials?: string,
): Promise<TunnelProxy> {
  const sockets = new Set<Duplex>();
  const asked: string[] = [];
  const keep = (socket: Duplex) => {
    sockets.add(socket.on("error", () => socket.destroy()));
  };
  const expected =
    credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString("base64")}`;
  const server = http.createServer().on("connect", ({ headers, url = "" }, socket, head) => {
    keep(socket);
    if (headers["proxy-authorization"] !== expected) {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n");
      return;
    }
    asked.push(url);
    const { hostname, port } = new URL(`http://${url}`);
    const onward = net.connect({ host: hostname, port: Number(port) }, () => {
      socket.write("HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n");
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    keep(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as net.AddressInfo).port,
    asked,
    goSilent() {
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
  };
}
