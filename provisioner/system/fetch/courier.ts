/** What is asked of a server. */
export interface CourierRequest {
  readonly url: string;
  /** From this byte on, where the server can do that. */
  readonly offset: number;
  /** Longest time until it begins to answer. */
  readonly answerMs: number;
  readonly signal: AbortSignal;
  /** What is sent; an address is fetched when absent. Such a request follows no redirect. */
  readonly send?: Sending;
  /** Certificate authority in PEM that the server's certificate has to be of; the system's when absent. */
  readonly ca?: string;
  /** Through which the request goes; straight when absent. */
  readonly proxy?: HttpProxy;
}

/** An HTTP proxy: it opens tunnels for https, and asks itself for http. */
export interface HttpProxy {
  /** `http://HOST:PORT` */
  readonly url: string;
  /** Value of `HttpProxy-Authorization`; secret. */
  readonly authorization?: string;
}

/** The same courier, through a proxy. Files of this machine are not asked of it. */
export function viaProxy(courier: Courier, proxy: HttpProxy | undefined): Courier {
  if (proxy === undefined) return courier;
  return { open: (request) => courier.open({ proxy, ...request }) };
}

/** A request that is more than an address. */
export interface Sending {
  readonly method: "GET" | "POST" | "PUT";
  readonly headers: Readonly<Record<string, string>>;
  /** Text, for POST and PUT. */
  readonly body?: string;
}

/** A server's answer, its body still to be read. */
export interface CourierAnswer {
  /** As in HTTP: 200, 206, 404 … */
  readonly status: number;
  /** Where the body begins in the file. */
  readonly offset: number;
  /** Throws what breaks the connection; of an answer outside the 200s it may be left out. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends an answer that is not read to its end. */
  close(): void;
}

/**
 * Carries bytes from the network; believes nothing and decides nothing. In this process, or on the side
 * of firstlight that may use the network.
 */
export interface Courier {
  /** Throws an error when there is no answer. */
  open(request: CourierRequest): Promise<CourierAnswer>;
}
