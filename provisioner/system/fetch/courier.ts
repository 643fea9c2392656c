/** What is asked of a cache. */
export interface CourierRequest {
  readonly url: string;
  /** From this byte on, where the cache can do that. */
  readonly offset: number;
  /** Longest time until it begins to answer. */
  readonly answerMs: number;
  readonly signal: AbortSignal;
}

/** A cache's answer, its body still to be read. */
export interface CourierAnswer {
  /** As in HTTP: 200, 206, 404 … */
  readonly status: number;
  /** Where the body begins in the file. */
  readonly offset: number;
  /** Throws what breaks the connection. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends an answer that is not read to its end. */
  close(): void;
}

/**
 * Carries bytes from caches; believes nothing and decides nothing. In this process, or on the side
 * of firstlight that may use the network.
 */
export interface Courier {
  /** Throws an error when there is no answer. */
  open(request: CourierRequest): Promise<CourierAnswer>;
}
