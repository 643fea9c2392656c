/** For tests: a metadata service on a real socket. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** What is answered at a path. */
export type FakeAnswer =
  | string
  | Uint8Array
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  /** Does with the request what it likes. */
  | ((request: IncomingMessage, response: ServerResponse) => void);

export interface FakeService {
  /** `http://127.0.0.1:PORT`, or `unix:PATH` */
  readonly url: string;
  /** Method and path of each request in order. */
  readonly requests: readonly string[];
}

/** What a fake service is like. */
export interface FakeServiceOptions {
  readonly host?: string;
  readonly port?: number;
  /** Path of a socket in their place. */
  readonly socket?: string;
  /** Asked before the answers; `undefined` lets the request through. */
  readonly guard?: (request: IncomingMessage) => FakeAnswer | undefined;
  /** No answer is sent before it. */
  readonly after?: Promise<unknown> | undefined;
}

/** Serves answers by path, with and without the query; 404 where there is none. Ends with the test. */
export async function fakeService(
  t: { teardown(end: () => void): void },
  answers: Readonly<Record<string, FakeAnswer>>,
  { host = "127.0.0.1", port = 0, socket, guard = () => undefined, after }: FakeServiceOptions = {},
): Promise<FakeService> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const { method = "GET", url = "/" } = request;
    requests.push(`${method} ${url}`);
    const answer = guard(request) ?? answers[url] ?? answers[url.split("?")[0] ?? ""];
    const reply = () => send(answer ?? { status: 404 }, request, response);
    if (after === undefined) reply();
    else void after.then(reply);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    if (socket === undefined) server.listen(port, host, resolve);
    else server.listen(socket, resolve);
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  if (socket !== undefined) return { url: `unix:${socket}`, requests };
  const shown = host.includes(":") ? `[${host}]` : host;
  return { url: `http://${shown}:${(server.address() as AddressInfo).port}`, requests };
}

function send(answer: FakeAnswer, request: IncomingMessage, response: ServerResponse): void {
  if (typeof answer === "function") return answer(request, response);
  if (typeof answer === "string" || answer instanceof Uint8Array) {
    response.writeHead(200, { "content-type": "text/plain" });
    response.end(answer);
    return;
  }
  response.writeHead(answer.status, answer.headers);
  response.end(answer.body);
}

/** Another answer for the first requests at a place, then the right one. */
export function first(times: number, early: FakeAnswer, then: FakeAnswer): FakeAnswer {
  let left = times;
  return (request, response) => send(left-- > 0 ? early : then, request, response);
}
