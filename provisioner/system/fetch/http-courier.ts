import type { Agent, Dispatcher, ProxyAgent, request } from "undici";
import type { Courier, CourierAnswer, CourierRequest, HttpProxy } from "./courier.ts";

const connectMs = 15_000;
const maxRedirects = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What is used of undici, which is loaded with the first request. */
interface Undici {
  readonly Agent: typeof Agent;
  readonly ProxyAgent: typeof ProxyAgent;
  readonly request: typeof request;
}

/** Connections are shared by requests that go the same way and trust the same. */
type Way = Pick<CourierRequest, "ca" | "proxy">;

/** http and https in this process. Who tries again, and when, is decided by who asks. */
export const httpCourier: Courier = openHttpCourier();

function openHttpCourier(): Courier {
  const ways = new Map<string, Dispatcher>();
  const wayOf = (undici: Undici, way: Way): Dispatcher => {
    const { ca, proxy } = way;
    const key = JSON.stringify([ca, proxy]);
    const known = ways.get(key);
    if (known !== undefined) return known;
    const opened = openWay(undici, way);
    ways.set(key, opened);
    return opened;
  };
  return {
    async open(request) {
      const undici = await import("undici");
      return follow(undici, wayOf(undici, request), request);
    },
  };
}

/** How long a server may take, and how slow it may be, is watched by who asks. */
const common = { allowH2: false, bodyTimeout: 0 } as const;

function openWay(undici: Undici, { ca, proxy }: Way): Dispatcher {
  const tls = { timeout: connectMs, ...(ca === undefined ? {} : { ca }) };
  if (proxy === undefined) return new undici.Agent({ ...common, connect: tls });
  return new undici.ProxyAgent({
    ...common,
    ...tokenOf(proxy),
    uri: proxy.url,
    connectTimeout: connectMs,
    requestTls: tls,
    // A tunnel only where what goes through it is protected: many proxies open none to port 80.
    proxyTunnel: false,
  });
}

function tokenOf({ authorization }: HttpProxy): { readonly token?: string } {
  return authorization === undefined ? {} : { token: authorization };
}

async function follow(
  undici: Undici,
  dispatcher: Dispatcher,
  request: CourierRequest,
): Promise<CourierAnswer> {
  for (let url = request.url, hops = 0; ; hops++) {
    const answer = await ask(undici, dispatcher, { ...request, url });
    const { statusCode, headers, body } = answer;
    body.on("error", () => {}); // told to whoever reads the body
    const to = request.send === undefined ? placeOf(statusCode, headers, url) : undefined;
    if (to === undefined) {
      return {
        status: statusCode,
        offset: firstByte(headers["content-range"]),
        body,
        close: () => void body.destroy(),
      };
    }
    body.destroy();
    if (hops === maxRedirects) throw new Error(`more than ${maxRedirects} redirects`);
    // An address with https leads to no other that has none: what comes would be anybody's.
    if (request.url.startsWith("https:") && !to.startsWith("https:"))
      throw new Error("an address with https leads to one with http");
    url = to;
  }
}

function ask(
  { request: open }: Undici,
  dispatcher: Dispatcher,
  { url, offset, answerMs, signal, send }: CourierRequest,
): Promise<Dispatcher.ResponseData> {
  return open(url, {
    dispatcher,
    method: send?.method ?? "GET",
    headers: {
      "user-agent": "firstlight",
      ...(offset > 0 ? { range: `bytes=${offset}-` } : {}),
      ...send?.headers,
    },
    ...(send?.body === undefined ? {} : { body: send.body }),
    headersTimeout: answerMs,
    signal,
  });
}

type Headers = Dispatcher.ResponseData["headers"];

/** Where a redirect leads; `undefined` where it is none. Throws where it leads nowhere. */
function placeOf(status: number, { location }: Headers, from: string): string | undefined {
  if (!redirects.has(status) || location === undefined) return undefined;
  const to = URL.parse(String(location), from);
  if (to === null || !/^https?:$/.test(to.protocol))
    throw new Error("a redirect leads to no address with https or http");
  return to.href;
}

/** Of `bytes 100-199/200`; what is no part begins at the beginning. */
function firstByte(contentRange: Headers[string]): number {
  return Number(/^bytes (\d{1,15})-/.exec(String(contentRange ?? ""))?.[1] ?? 0);
}
