import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { maxRequestBytes } from "#protocol/enroll/limits.ts";
import { type HandleDeps, handleEnrolment } from "./handle.ts";

/** Key and certificate of a server, in PEM. */
export interface ServerIdentity {
  readonly key: string;
  readonly certificate: string;
}

/** Where to listen, and with which certificate. */
export interface HttpsOptions extends ServerIdentity {
  readonly host?: string | undefined;
  readonly port: number;
}

/** A server that listens. */
export interface EnrolServer {
  readonly port: number;
  /** Takes another key and certificate for new connections. */
  use(identity: ServerIdentity): void;
  close(): Promise<void>;
}

/** Of a request that is slow on purpose. */
const requestTimeoutMs = 20_000;
const mostConnections = 1_000;

/** The enrolment server on Node's own HTTPS. Throws what listening throws. */
export async function serveEnrolment(
  deps: HandleDeps,
  { host, port, key, certificate }: HttpsOptions,
): Promise<EnrolServer> {
  const server = createServer(
    {
      ...{ key, cert: certificate, minVersion: "TLSv1.2" },
      ...{ requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs },
      ...{ connectionsCheckingInterval: 5_000, handshakeTimeout: requestTimeoutMs },
      ...{ keepAliveTimeout: 5_000, maxHeaderSize: 8 * 1024 },
    },
    (request, response) => {
      answer(deps, request, response).catch((error: Error) => {
        deps.log.debug("enroll.gone", { message: error.message });
        response.destroy();
      });
    },
  );
  server.maxConnections = mostConnections;
  server.on("tlsClientError", ({ message }) => deps.log.debug("enroll.tls", { message }));
  server.listen(port, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    use: (identity) => server.setSecureContext({ key: identity.key, cert: identity.certificate }),
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  deps: HandleDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "", url = "" } = request;
  const body = await readBody(request);
  const peer = request.socket.remoteAddress ?? "";
  const [path = ""] = url.split("?");
  const answered = await handleEnrolment(deps, { method, path, peer, body });
  const text = JSON.stringify(answered.body);
  response.writeHead(answered.status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    // Of a body that was not read there is no end to wait for.
    ...(body === undefined ? { connection: "close" } : {}),
  });
  response.end(text);
}

/** The body, or `undefined` where it is too large: the rest is not read. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > maxRequestBytes) return undefined;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxRequestBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
