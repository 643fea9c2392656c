import { Fault } from "#core/fault.ts";
import type { Clock } from "#core/io.ts";
import type { Cache } from "./cache-pool.ts";
import type { Courier, CourierAnswer } from "./courier.ts";

/** What a transfer needs beside its file. */
export interface TransferDeps {
  readonly clock: Clock;
  readonly courier: Courier;
  readonly cache: Cache;
  /** Bytes a second below which the cache is slow, looked at once a window. */
  readonly minimumRate: number;
  readonly windowMs: number;
  /** Calls the whole fetch off. */
  readonly signal: AbortSignal;
}

/** One file of a cache, or the rest of it. */
export interface TransferRequest {
  /** Relative to the cache. */
  readonly file: string;
  readonly offset: number;
  /** Of the whole file. */
  readonly maxBytes: number;
  /** Told before the first bytes where they begin: at the offset asked for, or at 0. */
  readonly begin: (offset: number) => void;
  readonly take: (bytes: Uint8Array) => void;
}

/**
 * Reads a file of a cache piece by piece. Throws `system/cache-absent`, `system/cache-unreachable`,
 * `system/cache-slow`, and `system/cache-lied` when there is more than there can be; what came
 * before that was handed on. A transfer that is called off throws `system/canceled`.
 */
export async function transfer(d: TransferDeps, request: TransferRequest): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([d.signal, stop.signal]);
  const counter = { bytes: 0 };
  let watch = Promise.resolve();
  try {
    const answer = await openAnswer(d, request, signal);
    watch = watchRate(d, counter, stop);
    try {
      await readBody(d, request, { answer, counter, signal });
    } finally {
      answer.close();
    }
  } catch (error) {
    if (d.signal.aborted) throw new Fault("system/canceled", "fetching was called off");
    if (stop.signal.reason instanceof Fault) throw stop.signal.reason;
    if (error instanceof Fault) throw error;
    throw new Fault("system/cache-unreachable", `${request.file}: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    stop.abort();
    await watch;
  }
}

async function openAnswer(
  { courier, cache, windowMs }: TransferDeps,
  { file, offset }: TransferRequest,
  signal: AbortSignal,
): Promise<CourierAnswer> {
  const url = new URL(file, cache.url).href;
  const answer = await courier.open({ url, offset, answerMs: windowMs, signal });
  const { status } = answer;
  if (status === 200 || (status === 206 && answer.offset === offset)) return answer;
  answer.close();
  if ([403, 404, 410].includes(status)) {
    throw new Fault("system/cache-absent", `${file}: status ${status}`);
  }
  if (status === 206 || status === 416) {
    throw new Fault("system/cache-lied", `${file}: expected it from byte ${offset} on`);
  }
  throw new Fault("system/cache-unreachable", `${file}: status ${status}`);
}

interface Reading {
  readonly answer: CourierAnswer;
  readonly counter: { bytes: number };
  readonly signal: AbortSignal;
}

async function readBody(
  { cache }: TransferDeps,
  { file, maxBytes, begin, take }: TransferRequest,
  { answer, counter, signal }: Reading,
): Promise<void> {
  begin(answer.offset);
  for await (const bytes of answer.body) {
    signal.throwIfAborted();
    counter.bytes += bytes.length;
    cache.received += bytes.length;
    if (answer.offset + counter.bytes > maxBytes) {
      throw new Fault("system/cache-lied", `${file}: more than ${maxBytes} bytes`);
    }
    take(bytes);
  }
  signal.throwIfAborted();
}

/**
 * Aborts `stop` when this transfer stood still for a window, or all of its cache's together were too
 * slow: several share one line.
 */
async function watchRate(
  { clock, cache, minimumRate, windowMs }: TransferDeps,
  counter: { readonly bytes: number },
  stop: AbortController,
): Promise<void> {
  const floor = (minimumRate * windowMs) / 1000;
  for (;;) {
    const [own, all] = [counter.bytes, cache.received];
    try {
      await clock.sleep(windowMs, stop.signal);
    } catch {
      return; // it ended before the window did
    }
    const came = cache.received - all;
    if (counter.bytes > own && came >= floor) continue;
    const rate = `${came} bytes in ${windowMs} ms, expected at least ${Math.ceil(floor)}`;
    stop.abort(new Fault("system/cache-slow", rate));
    return;
  }
}
