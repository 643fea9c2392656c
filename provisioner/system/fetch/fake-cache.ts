import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How a cache answers a request otherwise than well. */
export type CacheFault =
  | { readonly is: "status"; readonly status: number }
  /** One byte, and another one, and another one. */
  | { readonly is: "drip" }
  /** So many bytes, and the connection breaks. */
  | { readonly is: "vanish"; readonly after: number }
  /** Takes the request and never says a word. */
  | { readonly is: "silent" }
  /** Bytes without an end. */
  | { readonly is: "endless" }
  /** Another content. */
  | { readonly is: "lie"; readonly change: (bytes: Buffer) => Buffer };

/** A real server on loopback that serves a cache, as well or as badly as a test wants. */
export interface FakeCache {
  readonly url: string;
  /** `GET path` with `from N` behind it where only a part was asked for, in order. */
  readonly requests: readonly string[];
  /** What to do with a request, `n` counting those for its path from 1; nothing: answer it. */
  fault: (path: string, n: number) => CacheFault | undefined;
  /** Stops listening and breaks what is open. */
  close(): void;
}

const dripMs = 20;

/** Serves what `read` gives for a path without its first slash; closed when the test ends. */
export async function fakeCache(
  t: { teardown(close: () => void): unknown },
  read: (path: string) => Uint8Array | undefined,
): Promise<FakeCache> {
  const requests: string[] = [];
  const asked = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = (request.url ?? "").slice(1);
    const from = rangeOf(request);
    const n = (asked.get(path) ?? 0) + 1;
    asked.set(path, n);
    requests.push(`GET ${path}${from > 0 ? ` from ${from}` : ""}`);
    const fault = cache.fault(path, n);
    const found = read(path);
    const bytes = found === undefined ? undefined : Buffer.from(found);
    if (fault !== undefined) return misbehave(response, fault, bytes);
    if (bytes === undefined) return end(response, 404);
    answer(response, bytes, from);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const cache: FakeCache = {
    url: `http://127.0.0.1:${port}/`,
    requests,
    fault: () => undefined,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  t.teardown(() => cache.close());
  return cache;
}

function rangeOf(request: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status).end();
}

function answer(response: ServerResponse, bytes: Buffer, from: number): void {
  if (from === 0)
    return void response.writeHead(200, { "content-length": bytes.length }).end(bytes);
  if (from >= bytes.length) return end(response, 416);
  const range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
  const headers = { "content-range": range, "content-length": bytes.length - from };
  response.writeHead(206, headers).end(bytes.subarray(from));
}

function misbehave(
  response: ServerResponse,
  fault: CacheFault,
  bytes: Buffer = Buffer.alloc(0),
): void {
  switch (fault.is) {
    case "status":
      return end(response, fault.status);
    case "silent":
      return;
    case "lie":
      return answer(response, fault.change(bytes), 0);
    case "vanish":
      response.writeHead(200, { "content-length": bytes.length });
      response.write(bytes.subarray(0, fault.after), () => response.destroy());
      return;
    case "drip": {
      response.writeHead(200, { "content-length": Math.max(bytes.length, 2) });
      let at = 0;
      const drip = setInterval(() => {
        if (at < bytes.length - 1) response.write(bytes.subarray(at, at + 1));
        at += 1;
      }, dripMs);
      response.on("close", () => clearInterval(drip));
      return;
    }
    case "endless": {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
      };
      response.on("drain", more);
      more();
    }
  }
}
