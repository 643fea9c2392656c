import { networkInterfaces } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { counted } from "#core/count.ts";
import { Fault, isFault } from "#core/fault.ts";
import { type Candidate, candidatesFor, type Interfaces, needInterfaces } from "./candidates.ts";
import { type CrawlContext, type Exchange, openExchange } from "./exchange.ts";
import { ForeignAnswer } from "./foreign-answer.ts";
import { type ReadRoutes, readRoutes } from "./routes.ts";
import type { MetadataService } from "./service.ts";

/** Interfaces get addresses while we wait. */
const lookAgainEveryMs = 1_000;

/** The way by which a service answered. */
export interface OpenedService {
  readonly candidate: Candidate;
  readonly exchange: Exchange;
}

/** What finding a service needs. */
export interface OpenOptions extends CrawlContext {
  readonly addresses: readonly string[];
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
 * that get an address meanwhile are asked as well. The others are let go. Who answers what is not of
 * this service (404, a page to log in, a refusal) is asked again as well: services come up later than
 * machines, and so do interfaces. Where nothing but such answers has come for `patienceMs`, however
 * silent other ways are, it throws the last of them, as `datasource/refused` or `datasource/unreachable`;
 * the latter also at the end of the budget.
 */
export async function openService(options: OpenOptions): Promise<OpenedService> {
  const { signal, addresses, lookAgainMs = lookAgainEveryMs, routes = readRoutes } = options;
  const { now = () => performance.now() } = options;
  const { patienceMs = Math.min(10_000, options.budgetMs / 3) } = options;
  const { interfaces = needInterfaces(addresses) ? networkInterfaces : () => ({}) } = options;
  const asked = new Map<string, Asked>();
  const over = new AbortController();
  const waiting = { signal: AbortSignal.any([signal, over.signal]) };
  let won: Exchange | undefined;
  let answered: Fault | undefined;
  let answeredAt = Number.POSITIVE_INFINITY;
  try {
    for (;;) {
      for (const candidate of candidatesFor(addresses, interfaces(), routes)) {
        const key = `${candidate.url} ${candidate.host} ${candidate.localAddress}`;
        if (!asked.has(key)) asked.set(key, ask(candidate, options));
      }
      const all = [...asked.values()];
      const later = delay(lookAgainMs, undefined, waiting).catch(() => undefined);
      const first = await Promise.race([anyOf(all), later]);
      if (first !== undefined) {
        won = first.exchange;
        return first;
      }
      const failures = all.map(({ failure }) => failure());
      answered = failures.find((fault) => isFinal(fault)) ?? answered;
      if (answered !== undefined) answeredAt = Math.min(answeredAt, now());
      if (answered !== undefined && now() - answeredAt >= patienceMs)
        throw notThisService(answered);
      if (signal.aborted) throw nothingAnswers(options, all.length, answered);
      await later;
      for (const [key, { failure, exchange }] of asked) {
        if (failure() === undefined) continue;
        exchange.close();
        asked.delete(key); // to be asked again
      }
    }
  } finally {
    for (const { exchange } of asked.values()) if (exchange !== won) exchange.close();
    over.abort();
  }
}

/** The first that answers, or `undefined` when all have answered finally; never where others failed. */
async function anyOf(all: readonly Asked[]): Promise<OpenedService | undefined> {
  try {
    return await Promise.any(all.map(({ answer }) => answer));
  } catch {
    const isOver = all.length > 0 && all.every(({ failure }) => isFinal(failure()));
    return isOver ? undefined : new Promise(() => {});
  }
}

interface Asked {
  readonly exchange: Exchange;
  readonly answer: Promise<OpenedService>;
  readonly failure: () => unknown;
}

function ask(candidate: Candidate, context: OpenOptions): Asked {
  const { open = openExchange, service } = context;
  const exchange = open(candidate, context);
  let failed: unknown;
  const answer = probe(candidate, exchange, service).catch((error) => {
    failed = error;
    throw error;
  });
  answer.catch(() => {}); // seen by `failure`
  return { exchange, answer, failure: () => failed };
}

/** Throws where none of the paths is there. */
async function probe(
  candidate: Candidate,
  exchange: Exchange,
  { probe: asked, probeMaxBytes }: MetadataService,
): Promise<OpenedService> {
  const paths = [asked].flat();
  const options = probeMaxBytes === undefined ? {} : { maxBytes: probeMaxBytes };
  for (const path of paths) {
    if ((await exchange.get(path, options)) !== undefined) return { candidate, exchange };
  }
  const place = `${candidate.url}${paths.join(" and ")}`;
  throw new Fault("datasource/malformed", `${place}: answered with 404`);
}

function isFinal(fault: unknown): fault is Fault {
  if (fault instanceof ForeignAnswer) return true;
  return isFault(fault, "datasource/malformed") || isFault(fault, "datasource/refused");
}

/** What it says may be another tomorrow: no fault of the machine's input. */
function notThisService(answered: Fault): Fault {
  if (!isFault(answered, "datasource/malformed")) return answered;
  return new Fault("datasource/unreachable", answered.message, { cause: answered });
}

function nothingAnswers(
  { addresses, budgetMs }: OpenOptions,
  ways: number,
  answered: Fault | undefined,
): Fault {
  const last = answered === undefined ? "" : `; ${answered.message}`;
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
