import { randomInt } from "node:crypto";
import { Agent } from "node:http";
import { connect } from "node:net";
import got, { type Got, type OptionsInit, RequestError, type Response } from "got";
import { Fault } from "#core/fault.ts";
import { gunzip } from "#core/gunzip.ts";
import type { Candidate } from "./candidates.ts";
import { ForeignAnswer, foreignDocument } from "./foreign-answer.ts";
import { openLineExchange } from "./line-exchange.ts";
import { type OAuthKeys, oAuthHeader } from "./oauth.ts";
import { askedPauseMs, pauseMs } from "./pause.ts";
import type { GetOptions, MetadataAttempt, MetadataService } from "./service.ts";

const connectMs = 2_000;
/** For one whole answer: a server that drips is asked again. */
const answerMs = 10_000;
const defaultMaxBytes = 1024 * 1024;
/** What is read of an answer whose status says everything, so that its connection may serve again. */
const bodilessBytes = 64 * 1024;
const bodilessMs = 1_000;
/** Bounded by the budget long before. */
const mostTries = 1_000;
/** What a service may say that time heals. */
const passing = [408, 425, 429, 500, 502, 503, 504];
/** A clock that is so near is right. */
const leastSkewMs = 5_000;
const unconnected = [
  ...["ETIMEDOUT", "ECONNRESET", "EADDRINUSE", "EADDRNOTAVAIL", "ECONNREFUSED", "EPIPE"],
  ...["ENOTFOUND", "ENETUNREACH", "EHOSTUNREACH", "ENETDOWN", "EAI_AGAIN"],
];

/** What all requests of a crawl share. */
export interface CrawlContext {
  readonly service: MetadataService;
  /** By what right it is asked, beside its own token. */
  readonly oAuth?: OAuthKeys | undefined;
  /** Ends with the budget. */
  readonly signal: AbortSignal;
  /** For everything, in milliseconds. */
  readonly budgetMs: number;
  /** Takes every exchange, also those that failed. */
  readonly record: (attempt: MetadataAttempt) => void;
  /** When the crawl began, as `performance.now()` says it. */
  readonly startedAt: number;
}

/** Exchanges with one address of a service. */
export interface Exchange {
  /** The bytes of an answer, `undefined` where there is nothing (404). */
  get(path: string, options?: GetOptions): Promise<Uint8Array | undefined>;
  /** Says something. Throws where it is not taken. */
  post(path: string, body: string, options?: GetOptions): Promise<void>;
  /** Whether it is asked without a token, because it would give none. */
  readonly tokenless?: () => boolean;
  /** What stood in the way last, of what is asked again. */
  readonly hindrance?: () => Hindrance | undefined;
  /** Ends what is under way too, and what waits to be asked again. */
  close(): void;
}

/** Why an address is asked again. */
export interface Hindrance {
  /** With the address. */
  readonly problem: string;
  readonly isAnswer: boolean;
  /** Whether it wants to be left alone for longer than the budget lasts. */
  readonly isLasting: boolean;
}

/**
 * Asks one address, again and again while what stands in the way may pass: with growing pauses in which
 * chance has a part, or after what the server asks for (`Retry-After`). A redirect is not followed:
 * what a metadata service does not say itself is not metadata.
 */
export function openExchange(candidate: Candidate, context: CrawlContext): Exchange {
  const { service, oAuth } = context;
  const { line } = candidate;
  if (service.speak !== undefined && line !== undefined)
    return openLineExchange({ ...candidate, line }, context, service.speak);
  const agent = agentFor(candidate, service.privilegedPort === true);
  const closed = new AbortController();
  const signal = AbortSignal.any([context.signal, closed.signal]);
  const client = clientFor(candidate, { ...context, signal }, agent);
  let token: Promise<string | undefined> | undefined;
  let isTokenless = false;
  /** How far the service's clock is ahead of ours. */
  let skewMs = 0;

  async function headersFor(): Promise<Record<string, string>> {
    if (oAuth !== undefined) return { authorization: oAuthHeader(oAuth, Date.now() + skewMs) };
    if (service.token === undefined) return {};
    token ??= newToken(client, candidate, service.token);
    const value = await token;
    isTokenless = value === undefined;
    return value === undefined ? {} : { [service.token.header]: value };
  }

  async function ask(path: string, init: OptionsInit, given: GetOptions) {
    const options = { markup: service.markup === true, ...given };
    const once = async () => {
      const headers = { ...(await headersFor()), ...options.headers };
      return request(client, `${candidate.url}${path}`, { ...init, headers }, options);
    };
    const first = await once();
    if (oAuth !== undefined && isRefusal(first.statusCode)) {
      const newSkewMs = clockSkewMs(first);
      if (Math.abs(newSkewMs - skewMs) <= leastSkewMs) return taken(first, options);
      skewMs = newSkewMs; // what is signed at another time is refused
      return taken(await once(), options);
    }
    if (first.statusCode !== 401 || service.token === undefined) return taken(first, options);
    token = undefined; // it has run out
    return taken(await once(), options);
  }

  return {
    get: (path, options = {}) => ask(path, {}, options),
    async post(path, body, options = {}) {
      const answer = await ask(path, { method: "POST", body }, { ...options, raw: true });
      if (answer === undefined)
        throw new Fault("datasource/unreachable", `${candidate.url}${path}: answered with 404`);
    },
    tokenless: () => isTokenless,
    hindrance: client.hindrance,
    close() {
      closed.abort();
      agent.destroy();
    },
  };
}

function isRefusal(statusCode: number): boolean {
  return statusCode === 401 || statusCode === 403;
}

/** By the `Date` that an answer bears; 0 where it bears none. */
function clockSkewMs({ headers }: Answer): number {
  const theirs = Date.parse(headers.date ?? "");
  return Number.isNaN(theirs) ? 0 : theirs - Date.now();
}

async function newToken(
  client: Client,
  { url }: Candidate,
  { method, path, headers, optionalOn = [] }: NonNullable<MetadataService["token"]>,
): Promise<string | undefined> {
  const response = await request(
    client,
    `${url}${path}`,
    { method, headers },
    { maxBytes: 65_536 },
  );
  if (optionalOn.includes(response.statusCode)) return undefined;
  const text = Buffer.from(taken(response, {}) ?? [])
    .toString("latin1")
    .trim();
  if (/^[\x21-\x7e]{1,4096}$/.test(text)) return text;
  throw new Fault("datasource/malformed", `${url}${path}: a token was expected, another text came`);
}

/** A connection of its own to this way; a port that is taken is another one the next time. */
function agentFor({ host, port, localAddress, socketPath }: Candidate, privileged: boolean): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  agent.createConnection = () => {
    if (socketPath !== undefined) return connect({ path: socketPath });
    return connect({
      ...{ host, port },
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(privileged ? { localPort: randomInt(600, 1_024) } : {}),
    });
  };
  return agent;
}

interface Client {
  readonly got: Got;
  /** Records an exchange that we ended: no hook is called for it. */
  readonly leftOff: (error: RequestError) => void;
  readonly hinder: (hindrance: Hindrance) => void;
  readonly hindrance: () => Hindrance | undefined;
}

function clientFor(candidate: Candidate, context: CrawlContext, agent: Agent): Client {
  const { signal, service } = context;
  const teller = tellerFor(candidate, context);
  const client = got.extend({
    agent: { http: agent },
    signal,
    timeout: { connect: connectMs, request: answerMs },
    headers: { "user-agent": "firstlight", "accept-encoding": "identity", ...service.headers },
    followRedirect: false,
    throwHttpErrors: false,
    decompress: false,
    responseType: "buffer",
    retry: {
      limit: mostTries,
      methods: ["GET", "PUT", "POST"],
      statusCodes: [...passing, ...(service.passing ?? [])],
      errorCodes: [...unconnected, "ERR_HTTP_CONTENT_LENGTH_MISMATCH"],
      maxRetryAfter: Number.POSITIVE_INFINITY, // judged below, by another clock than ours
      enforceRetryRules: true,
      calculateDelay: ({ attemptCount, error, computedValue }) => {
        if (computedValue === 0) return 0;
        const askedMs = askedPauseMs(error.response?.headers ?? {}, context.budgetMs);
        return askedMs !== undefined && askedMs > context.budgetMs
          ? 0
          : pauseMs(attemptCount, askedMs);
      },
    },
    hooks: {
      beforeRequest: [teller.begins],
      afterResponse: [
        (response) => {
          teller.answered(response);
          return response;
        },
      ],
      beforeRetry: [teller.failed],
      beforeError: [
        (error) => {
          teller.failed(error);
          return error;
        },
      ],
    },
  });
  let last: Hindrance | undefined;
  return {
    got: client,
    leftOff: teller.failed,
    hinder: (hindrance) => {
      last = hindrance;
    },
    hindrance: () => last,
  };
}

/** Records exchanges as got comes by them. */
function tellerFor({ from }: Candidate, { record, startedAt }: CrawlContext) {
  const began = new WeakMap<object, number>();
  /** Requests that are told, by their options. */
  const told = new WeakSet<object>();
  const tell = (options: object, about: Omit<MetadataAttempt, "from" | "atMs" | "ms">) => {
    const now = performance.now();
    const at = began.get(options) ?? now;
    const ms = Math.round(now - at);
    record({ ...about, from, atMs: Math.round(at - startedAt), ms });
  };
  return {
    begins: (options: object) => void began.set(options, performance.now()),
    answered({ request, requestUrl, statusCode }: Response): void {
      const { options } = request;
      told.add(options);
      tell(options, {
        method: options.method,
        url: placeOf(requestUrl),
        status: statusCode,
        error: null,
      });
    },
    /** Only what has no whole answer: those are told already. */
    failed(error: RequestError): void {
      const { options } = error;
      if (told.has(options)) return;
      told.add(options);
      const status = error.response?.statusCode ?? null;
      const words = status === null ? wordsOf(error) : `not read to its end: ${wordsOf(error)}`;
      const about = { method: options.method, url: placeOf(options.url), status };
      tell(options, { ...about, error: words });
    },
  };
}

function placeOf(url: URL | string | undefined): string {
  const { origin, pathname } = URL.parse(String(url)) ?? { origin: "?", pathname: "" };
  return `${origin}${pathname}`;
}

function wordsOf({ code, message }: RequestError): string {
  if (code.startsWith("HPE_")) return `what came is no HTTP (${code})`; // of Node's parser
  return code.startsWith("ERR_") ? message : code;
}

/** What is looked at of an answer. */
type Answer = Pick<Response<Uint8Array>, "statusCode" | "headers" | "body" | "requestUrl">;

/**
 * One request with its tries; a body that is too large ends it. Of an answer outside 200-299 status and
 * headers say everything: its body is nothing, however large, packed or broken it is, or slow to come.
 */
async function request(
  { got: client, leftOff, hinder }: Client,
  url: string,
  init: OptionsInit,
  { absentOn = [], maxBytes = defaultMaxBytes, withinMs }: GetOptions,
): Promise<Answer> {
  const enough = new AbortController();
  /** Of the try under way, where it is outside 200-299. */
  let bodiless: Answer | undefined;
  let cut = () => {};
  /** What stood in the way of the try before. */
  let last: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  const late = withinMs === undefined ? undefined : AbortSignal.timeout(withinMs);
  const { signal, retry } = client.defaults.options;
  const statusCodes = (retry.statusCodes ?? []).filter((code) => !absentOn.includes(code));
  const isFinal = () => bodiless !== undefined && !statusCodes.includes(bodiless.statusCode);
  const all = [signal, enough.signal, late].filter((each) => each !== undefined);
  const promise = client(url, {
    ...init,
    retry: {
      statusCodes,
      calculateDelay: (given) => {
        if (isFinal() || given.computedValue === 0) return 0;
        const ms = retry.calculateDelay?.(given) ?? 0;
        last = problemOf(given.error);
        const isAnswer = given.error.response !== undefined;
        hinder({ problem: `${placeOf(url)}: ${last}`, isAnswer, isLasting: ms === 0 });
        return ms;
      },
    },
    signal: AbortSignal.any(all),
    responseType: "buffer",
  });
  // got's own event comes only after the body.
  promise.on("request", (sent) => {
    clearTimeout(timer);
    bodiless = undefined;
    sent.once("response", (answer) => {
      const { statusCode = 0, headers } = answer;
      if (isGood(statusCode)) return;
      bodiless = { statusCode, headers, body: Buffer.alloc(0), requestUrl: new URL(url) };
      cut = () => answer.destroy();
      timer = setTimeout(cut, bodilessMs);
      answer.once("close", () => clearTimeout(timer));
    });
  });
  promise.on("downloadProgress", ({ transferred }) => {
    if (bodiless === undefined && transferred > maxBytes) enough.abort();
    if (bodiless !== undefined && transferred > bodilessBytes) cut();
  });
  try {
    const response = (await promise) as Response<Uint8Array>;
    if (!isGood(response.statusCode)) return response;
    return Object.assign(response, { body: unpacked(response, maxBytes) });
  } catch (error) {
    if (enough.signal.aborted && error instanceof RequestError) leftOff(error);
    if (bodiless !== undefined && !signal?.aborted && !late?.aborted) return bodiless;
    if (enough.signal.aborted) throw largerThan(url, maxBytes, error);
    const soFar = last ?? (bodiless === undefined ? undefined : answeredWith(bodiless));
    const nothing = soFar === undefined ? "nothing came" : `${soFar}, and nothing else came`;
    if (signal?.aborted) throw unreachable(placeOf(url), error, soFar ?? nothing);
    if (late?.aborted) throw unreachable(placeOf(url), error, `${nothing} within ${withinMs} ms`);
    throw unreachable(placeOf(url), error);
  } finally {
    clearTimeout(timer);
  }
}

function isGood(statusCode: number): boolean {
  return statusCode >= 200 && statusCode <= 299;
}

/** The body without the packing that some put on it unasked. */
function unpacked({ body, headers, requestUrl }: Answer, maxBytes: number): Uint8Array {
  const encoding = headers["content-encoding"]?.toLowerCase() ?? "identity";
  if (encoding === "identity" || encoding === "" || body.length === 0) return body;
  if (encoding !== "gzip" && encoding !== "x-gzip")
    throw new Fault(
      "datasource/malformed",
      `${placeOf(requestUrl)}: an encoding came that was not asked for, which is no metadata`,
      { hint: "something changes what the metadata service says: look at the network between" },
    );
  try {
    return gunzip(body, maxBytes);
  } catch (error) {
    if ((error as { readonly code?: string }).code === "ERR_BUFFER_TOO_LARGE")
      throw largerThan(requestUrl, maxBytes, error);
    const message = `${placeOf(requestUrl)}: gzip came that cannot be unpacked`;
    throw new Fault("datasource/malformed", message, { cause: error });
  }
}

function largerThan(url: URL | string, maxBytes: number, cause: unknown): Fault {
  const message = `${placeOf(url)}: more than ${maxBytes} bytes came`;
  return new Fault("datasource/malformed", message, { cause });
}

/** What an answer says. Throws where it is none of a metadata service. */
function taken(
  { statusCode, body, headers, requestUrl }: Answer,
  { absentOn = [], raw = false, markup = false }: GetOptions,
): Uint8Array | undefined {
  const place = placeOf(requestUrl);
  if (isAbsent(statusCode, absentOn)) return undefined;
  if (statusCode >= 300 && statusCode < 400) {
    const { location } = headers;
    if (location === undefined) throw new ForeignAnswer(place, answeredWith({ statusCode }));
    const target = URL.parse(location, String(requestUrl))?.origin ?? "nowhere";
    throw new ForeignAnswer(place, `it leads away to ${target}`);
  }
  if (isRefusal(statusCode)) {
    throw new Fault("datasource/refused", `${place}: answered with ${statusCode}`);
  }
  if (!isGood(statusCode)) {
    throw new Fault("datasource/unreachable", `${place}: answered with ${statusCode}`);
  }
  const foreign = raw ? undefined : foreignDocument(body, markup);
  if (foreign !== undefined) throw new ForeignAnswer(place, foreign);
  return body;
}

function isAbsent(statusCode: number, absentOn: readonly number[]): boolean {
  return statusCode === 404 || statusCode === 410 || absentOn.includes(statusCode);
}

function problemOf(error: RequestError): string {
  return error.response === undefined ? wordsOf(error) : answeredWith(error.response);
}

function answeredWith({ statusCode }: Pick<Answer, "statusCode">): string {
  return `answered with ${statusCode}`;
}

function unreachable(place: string, error: unknown, problem?: string): Fault {
  if (error instanceof Fault) return error;
  const words = problem ?? (error instanceof RequestError ? wordsOf(error) : String(error));
  return new Fault("datasource/unreachable", `${place}: ${words}`, { cause: error });
}
