import { Fault } from "#core/fault.ts";
import { type Clock, timestamp } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { Courier, CourierAnswer } from "#provisioner/system/fetch/courier.ts";
import { isSourceAddress } from "#provisioner/userdata/referenced-sources.ts";
import type { FetchSources } from "./read-parts.ts";
import { mostOfFiles, type ReadingLimits } from "./reading-limits.ts";

/** For one address, all tries together. */
const defaultTimeoutMs = 30_000;
const tries = 4;
const pauseMs = 1_000;
const longestPauseMs = 5_000;
/** For all addresses of one call: what is not begun by then is left out. */
const totalMs = mostOfFiles.ms;
/** So many addresses at once. */
const atOnce = 4;
/** What a server may say that time heals. */
const passing: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** What reading addresses needs. */
export interface FetcherOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** Who goes to the network. */
  readonly courier: Courier;
}

/**
 * Reads what documents name by address, a few at once, each with its own limits. What cannot be
 * read is logged and left out: the translation makes a finding of it.
 */
export function sourceFetcher(options: FetcherOptions): FetchSources {
  return async (urls, { limits } = {}) => {
    const found = new Map<string, Uint8Array>();
    const { clock, log } = options;
    const limitMs = Math.min(totalMs, limits?.msLeft ?? totalMs);
    const end = clock.monotonicMs() + limitMs;
    for (let at = 0; at < urls.length; at += atOnce) {
      const isLate = clock.monotonicMs() >= end;
      if (isLate) log.warning("sources.late", { left: urls.length - at, limitMs });
      if (isLate || limits?.goesOn() === false) {
        for (const url of urls.slice(at)) limits?.beyond.add(url);
        break;
      }
      const some = urls.slice(at, at + atOnce);
      const read = await Promise.all(some.map((url) => readOne(url, { ...options, limits })));
      for (const [index, bytes] of read.entries()) {
        if (bytes !== undefined) found.set(some[index] ?? "", bytes);
      }
    }
    return found;
  };
}

type ReadOneOptions = FetcherOptions & Limited;

interface Limited {
  /** What is left for others as well. */
  readonly limits?: ReadingLimits | undefined;
}

async function readOne(url: string, options: ReadOneOptions): Promise<Uint8Array | undefined> {
  try {
    if (!isSourceAddress(url)) throw new Error("expected an address with http, https or data");
    if (url.startsWith("data:")) return readDataUrl(url);
    return await download(url, options, options.limits?.eachBytes ?? mostOfFiles.eachBytes);
  } catch (error) {
    const { limits } = options;
    if (error instanceof NoRoom || limits?.msLeft === 0) limits?.beyond.add(url);
    const { origin } = URL.parse(url) ?? { origin: "an address that cannot be parsed" };
    options.log.warning("source.failed", { origin, message: describe(error) });
    return undefined;
  }
}

/** A message may say the whole address, which can hold a token. */
function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /\b[a-z]+:\/\//i.test(message)
    ? ((error as { readonly code?: string }).code ?? "not read")
    : message;
}

/** What a wrong clock makes of a certificate that is good. */
const ofClock: ReadonlyMap<unknown, string> = new Map([
  ["CERT_NOT_YET_VALID", "the certificate is not valid yet"],
  ["CERT_HAS_EXPIRED", "the certificate has expired"],
]);
const clockHint =
  "set the clock of the machine (by a time server, or the battery of its real-time clock), or renew the certificate where the clock is right";

/** A certificate that is not of this time, by a clock that may be wrong. */
class CertificateTime extends Error {}

function isOfClock(error: unknown): boolean {
  return error instanceof CertificateTime || (error instanceof Error && isOfClock(error.cause));
}

/** The same failure, with what the clock says where that is why. */
function withClock(error: unknown, clock: Clock): unknown {
  const words = ofClock.get((error as { readonly code?: unknown }).code);
  if (words === undefined) return error;
  return new CertificateTime(
    `${words} by the clock of this machine, which says ${timestamp(clock)}`,
  );
}

/** How a file is read. */
export interface ReadFileOptions extends Omit<FetcherOptions, "log"> {
  /** For all tries together, of which there are as many as it has room for; a few when absent. */
  readonly timeoutMs?: number;
  /** Takes a refusal that is final (of the 400s, not 404): then there is no file. */
  readonly refused?: ((status: number) => void) | undefined;
}

/**
 * The file behind an address, `undefined` where the server has none (404). Throws
 * `datasource/unreachable`, and `datasource/malformed` where it has more bytes.
 */
export async function readFile(
  url: string,
  limit: number,
  { refused, ...options }: ReadFileOptions,
): Promise<Uint8Array | undefined> {
  const { origin } = URL.parse(url) ?? { origin: "an address that cannot be parsed" };
  try {
    return await download(url, options, limit);
  } catch (error) {
    const status = error instanceof FinalError ? error.status : undefined;
    if (status === 404) return undefined;
    if (status !== undefined && status >= 400 && status < 500 && refused !== undefined) {
      refused(status);
      return undefined;
    }
    const code = error instanceof TooLarge ? "datasource/malformed" : "datasource/unreachable";
    const hint = isOfClock(error) ? { hint: clockHint } : {};
    throw new Fault(code, `${origin}: ${describe(error)}`, { cause: error, ...hint });
  }
}

async function download(
  url: string,
  { clock, courier, limits, timeoutMs: givenMs }: Omit<ReadFileOptions, "refused"> & Limited,
  limit: number,
): Promise<Uint8Array> {
  const mostMs = givenMs ?? defaultTimeoutMs;
  const timeoutMs = Math.min(mostMs, limits?.msLeft ?? mostMs);
  const mostTries = givenMs === undefined ? tries : Number.POSITIVE_INFINITY;
  const late = new AbortController();
  const done = new AbortController();
  clock.sleep(timeoutMs, done.signal).then(
    () => late.abort(new Error(`no whole answer within ${timeoutMs} ms`)),
    () => {},
  );
  const { signal } = late;
  let last: unknown;
  try {
    for (let n = 1; ; n++) {
      try {
        return await tryOnce(await courier.open({ url, offset: 0, answerMs: timeoutMs, signal }), {
          limit,
          limits,
        });
      } catch (error) {
        if (signal.aborted) throw tooLate(timeoutMs, last);
        last = withClock(error, clock);
        if (error instanceof FinalError || n >= mostTries) throw last;
        await clock.sleep(Math.min(pauseMs * n, longestPauseMs), signal).catch(() => {});
        if (signal.aborted) throw tooLate(timeoutMs, last);
      }
    }
  } finally {
    done.abort();
  }
}

/** What came to nothing last says more than the time that is over. */
function tooLate(timeoutMs: number, last: unknown): Error {
  const why = last === undefined ? "" : `: ${describe(last)}`;
  return new Error(`no whole answer within ${timeoutMs} ms${why}`, { cause: last });
}

/** Trying again is of no use. */
class FinalError extends Error {
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

class TooLarge extends FinalError {}

/** For all together. */
class NoRoom extends TooLarge {}

async function tryOnce(
  { status, body, close }: CourierAnswer,
  within: ReadLimits,
): Promise<Uint8Array> {
  try {
    if (passing.has(status)) throw new Error(`status ${status}`);
    if (status < 200 || status > 299) throw new FinalError(`status ${status}`, status);
    return await readWhole(body, within);
  } finally {
    close();
  }
}

interface ReadLimits extends Limited {
  /** Bytes of this one. */
  readonly limit: number;
}

async function readWhole(
  body: AsyncIterable<Uint8Array>,
  { limit, limits }: ReadLimits,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      if (length + chunk.length > limit) throw new TooLarge(`larger than ${limit} bytes`);
      if (limits?.takeBytes(chunk.length) === false)
        throw new NoRoom("no room is left for it beside the others");
      chunks.push(chunk);
      length += chunk.length;
    }
  } catch (error) {
    limits?.giveBack(length);
    throw error;
  }
  return Buffer.concat(chunks);
}

/** RFC 2397. */
function readDataUrl(url: string): Uint8Array {
  const [, base64, data = ""] = /^data:[^,]*?(;base64)?,(.*)$/s.exec(url) ?? [];
  return base64 === undefined
    ? Buffer.from(decodeURIComponent(data), "utf8")
    : Buffer.from(data, "base64");
}
