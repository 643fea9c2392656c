import { isUtf8 } from "node:buffer";
import { networkInterfaces } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { counted } from "#core/count.ts";
import { Fault, isFault } from "#core/fault.ts";
import { type Candidate, candidatesFor, type Interfaces, needInterfaces } from "./candidates.ts";
import { type CrawlContext, type Exchange, openExchange } from "./exchange.ts";
import { ForeignAnswer } from "./foreign-answer.ts";
import { OtherMachine } from "./other-machine.ts";
import { type ReadRoutes, readRoutes } from "./routes.ts";
import type { Stranger } from "./service.ts";

/** Interfaces get addresses while we wait. */
const lookAgainEveryMs = 1_000;

/** The way by which a service answered. */
export interface OpenedService {
  readonly candidate: Candidate;
  readonly exchange: Exchange;
  /** Who was passed over: each speaks of another machine. */
  readonly strangers: readonly Stranger[];
}

/** What finding a service needs. */
export interface OpenOptions extends CrawlContext {
  readonly addresses: readonly string[];
  /** Those to which what is asked from an address of this machine leaves by its own interface. */
  readonly routed?: readonly string[] | undefined;
  /** What this machine is called, where that is known. */
  readonly expected?: readonly string[] | undefined;
  /** How long a service that answers what is none of it is asked again, in milliseconds: 10 s, a third of the budget at most. */
  readonly patienceMs?: number;
  /** For tests: another time between looks. */
  readonly lookAgainMs?: number;
  /** For tests: the time, in milliseconds. */
  readonly now?: () => number;
  /** For tests: the interfaces of this machine. */
  readonly interfaces?: () => Interfaces;
  /** For tests: its routes. */
  readonly routes?: ReadRoutes;
  /** For tests: exchanges that answer as they like. */
  readonly open?: typeof openExchange;
}

/**
 * The first way to a service that answers, of all addresses over all interfaces at once; interfaces
 * that get an address meanwhile are asked as well; one that wants to be left alone for longer than the
 * budget lasts is left alone. The others are let go. Who speaks of another machine than is `expected` is taken
 * where nobody else has come for `patienceMs`. Who answers what is not of
 * this service (404, a page to log in, a refusal) is asked again as well: services come up later than
 * machines, and so do interfaces. Where nothing but such answers has come for `patienceMs`, however
 * silent other ways are, it throws the last of them, as `datasource/refused` or `datasource/unreachable`;
 * the latter also at the end of the budget.
 */
export async function openService(options: OpenOptions): Promise<OpenedService> {
  const { signal, addresses, lookAgainMs = lookAgainEveryMs, routes = readRoutes } = options;
  const { now = () => performance.now(), routed = [] } = options;
  const { patienceMs = Math.min(10_000, options.budgetMs / 3) } = options;
  const { interfaces = needInterfaces(addresses) ? networkInterfaces : () => ({}) } = options;
  const asked = new Map<string, Asked>();
  const over = new AbortController();
  const waiting = { signal: AbortSignal.any([signal, over.signal]) };
  let won: Exchange | undefined;
  const others = new Map<string, OtherMachine>();
  let answered: Fault | undefined;
  let answeredAt = Number.POSITIVE_INFINITY;
  let problem: string | undefined;
  try {
    for (;;) {
      const present = interfaces();
      const candidates = addresses.flatMap((address) =>
        candidatesFor([address], present, routed.includes(address) ? undefined : routes),
      );
      for (const candidate of candidates) {
        const key = `${candidate.url} ${candidate.host} ${candidate.localAddress}`;
        if (!asked.has(key)) asked.set(key, ask(candidate, options));
      }
      const all = [...asked.values()];
      const later = delay(lookAgainMs, undefined, waiting).catch(() => undefined);
      const first = await Promise.race([anyOf(all), later]);
      if (first !== undefined) {
        won = first.exchange;
        return { ...first, strangers: [...others.values()].map(strangerOf) };
      }
      const failures = all.map(({ failure }) => failure());
      for (const [key, { failure }] of asked) {
        const fault = failure();
        if (!(fault instanceof OtherMachine)) continue;
        others.get(key)?.exchange.close();
        others.set(key, fault);
      }
      answered = failures.find((fault) => isFinal(fault)) ?? answered;
      if (answered !== undefined) answeredAt = Math.min(answeredAt, now());
      if (answered !== undefined && now() - answeredAt >= patienceMs) {
        const [other] = others.values();
        if (other === undefined) throw notThisService(answered);
        won = other.exchange;
        return { candidate: other.candidate, exchange: won, strangers: [] };
      }
      problem = problemOf(all, signal.aborted) ?? problem;
      if (signal.aborted) throw nothingAnswers(options, { ways: all.length, answered, problem });
      await later;
      for (const [key, { failure, exchange }] of asked) {
        if (failure() === undefined || exchange.hindrance?.()?.isLasting) continue;
        if (others.get(key)?.exchange !== exchange) exchange.close();
        asked.delete(key); // to be asked again
      }
    }
  } finally {
    for (const { exchange } of [...asked.values(), ...others.values()])
      if (exchange !== won) exchange.close();
    over.abort();
  }
}

/** The first that answers, or `undefined` when all have answered finally; never where others failed. */
async function anyOf(all: readonly Asked[]): Promise<Way | undefined> {
  try {
    return await Promise.any(all.map(({ answer }) => answer));
  } catch {
    const isOver = all.length > 0 && all.every(({ failure }) => isFinal(failure()));
    return isOver ? undefined : new Promise(() => {});
  }
}

/** A way that answers. */
type Way = Omit<OpenedService, "strangers">;

interface Asked {
  readonly exchange: Exchange;
  readonly answer: Promise<Way>;
  readonly failure: () => unknown;
}

function ask(candidate: Candidate, context: OpenOptions): Asked {
  const { open = openExchange } = context;
  const exchange = open(candidate, context);
  let failed: unknown;
  const answer = probe(candidate, exchange, context).catch((error) => {
    failed = error;
    throw error;
  });
  answer.catch(() => {}); // seen by `failure`
  return { exchange, answer, failure: () => failed };
}

/** Throws where none of the paths is there with a text behind it, and where another machine is meant. */
async function probe(
  candidate: Candidate,
  exchange: Exchange,
  { service, expected = [] }: OpenOptions,
): Promise<Way> {
  const { probe: asked, probeMaxBytes, speaksOf } = service;
  const paths = [asked].flat();
  const options = probeMaxBytes === undefined ? {} : { maxBytes: probeMaxBytes };
  let problem = "answered with 404";
  for (const path of paths) {
    const said = await exchange.get(path, options);
    if (said === undefined) continue;
    const instead = whyNotKnown(said);
    if (instead !== undefined) {
      problem = instead;
      continue;
    }
    if (speaksOf !== undefined && expected.length > 0) {
      const named = await speaksOf(textOf(said), async (path) => {
        const more = await exchange.get(path);
        return more && textOf(more);
      });
      if (named === undefined || !expected.includes(named))
        throw new OtherMachine({ candidate, exchange, speaksOf: named ?? null }, expected);
    }
    return { candidate, exchange };
  }
  const { url, line, socketPath } = candidate;
  const socket = line ?? socketPath;
  const place = `${socket === undefined ? url : `${socket}: `}${paths.join(" and ")}`;
  throw new Fault("datasource/malformed", `${place}: ${problem}`);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

function strangerOf({ candidate, speaksOf }: OtherMachine): Stranger {
  return { url: candidate.url, from: candidate.from, speaksOf };
}

/** Why a service is not known by what came: none says nothing of that, or what is no text. */
function whyNotKnown(bytes: Uint8Array): string | undefined {
  if (!isUtf8(bytes)) return "answered with what is no text";
  if (Buffer.from(bytes).toString("latin1").trim() === "") return "answered with nothing";
  return undefined;
}

function isFinal(fault: unknown): fault is Fault {
  if (fault instanceof ForeignAnswer || fault instanceof OtherMachine) return true;
  return isFault(fault, "datasource/malformed") || isFault(fault, "datasource/refused");
}

/** What it says may be another tomorrow: no fault of the machine's input. */
function notThisService(answered: Fault): Fault {
  if (!isFault(answered, "datasource/malformed")) return answered;
  return new Fault("datasource/unreachable", answered.message, { cause: answered });
}

/** What stands in the way: rather an answer than silence. Failures at the end are nothing but the end. */
function problemOf(all: readonly Asked[], isOver: boolean): string | undefined {
  const hindrances = all.flatMap(({ exchange }) => exchange.hindrance?.() ?? []);
  const { problem } = hindrances.find(({ isAnswer }) => isAnswer) ?? hindrances[0] ?? {};
  if (problem !== undefined || isOver) return problem;
  return all.map(({ failure }) => failure()).find((fault) => isFault(fault))?.message;
}

interface Silence {
  readonly ways: number;
  readonly answered: Fault | undefined;
  readonly problem: string | undefined;
}

function nothingAnswers(
  { addresses, budgetMs }: OpenOptions,
  { ways, answered, problem }: Silence,
): Fault {
  const why = answered?.message ?? problem;
  const last = why === undefined ? "" : `; ${why}`;
  const over =
    ways === 0
      ? "no interface has an address"
      : `${counted(ways, "way")} ${ways === 1 ? "was" : "were"} tried`;
  return new Fault(
    "datasource/unreachable",
    `no metadata within ${budgetMs} ms from ${addresses.join(", ")}: ${over}${last}`,
    { cause: answered },
  );
}
