import type { Courier, CourierAnswer, CourierRequest } from "./courier.ts";

const connectMs = 15_000;
const maxRedirects = 5;

/** http and https in this process. Who tries again, and when, is decided by who asks. */
export const httpCourier: Courier = { open };

async function open({
  url,
  offset,
  answerMs,
  signal,
  send,
  ca,
}: CourierRequest): Promise<CourierAnswer> {
  const { default: got } = await import("got");
  const stream = got.stream(url, {
    timeout: {
      ...{ lookup: connectMs, connect: connectMs, secureConnect: connectMs },
      response: answerMs,
    },
    retry: { limit: 0 },
    maxRedirects,
    hooks: { beforeRedirect: [refuseUnprotected(url)] },
    throwHttpErrors: false,
    decompress: false,
    headers: { ...(offset > 0 ? { range: `bytes=${offset}-` } : {}), ...send?.headers },
    ...(send === undefined ? {} : { method: send.method, followRedirect: false }),
    // Without one a request that may have a body would wait for it.
    ...(send === undefined || send.method === "GET" ? {} : { body: send.body ?? "" }),
    ...(ca === undefined ? {} : { https: { certificateAuthority: ca } }),
    signal,
  });
  const head = await new Promise<Head>((resolve, reject) => {
    stream.once("error", reject);
    stream.once("response", resolve);
  });
  stream.on("error", () => {}); // told to whoever reads the body
  return {
    status: head.statusCode,
    offset: firstByte(head.headers["content-range"]),
    body: stream,
    close: () => void stream.destroy(),
  };
}

/** An address with https leads to no other that has none: what comes would be anybody's. */
function refuseUnprotected(
  asked: string,
): (options: { readonly url?: URL | string | undefined }) => void {
  return ({ url = "" }) => {
    if (!asked.startsWith("https:") || String(url).startsWith("https:")) return;
    throw new Error("an address with https leads to one with http");
  };
}

interface Head {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** Of `bytes 100-199/200`; what is no part begins at the beginning. */
function firstByte(contentRange: string | undefined): number {
  return Number(/^bytes (\d{1,15})-/.exec(contentRange ?? "")?.[1] ?? 0);
}
