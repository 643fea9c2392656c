import { networkInterfaces } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { counted } from "#core/count.ts";
import { Fault, isFault } from "#core/fault.ts";
import { type Candidate, candidatesFor, type Interfaces, needInterfaces } from "./candidates.ts";
import { type CrawlContext, type Exchange, openExchange } from "./exchange.ts";

/** Interfaces get addresses while we wait. */
const lookAgainMs = 1_000;

/** The way by which a service answered. */
export interface OpenedService {
  readonly candidate: Candidate;
  readonly exchange: Exchange;
}

/** What finding a service needs. */
export interface OpenOptions extends CrawlContext {
  readonly addresses: readonly string[];
  /** For tests: the interfaces of this machine. */
  readonly interfaces?: () => Interfaces;
  /** For tests: exchanges that answer as they like. */
  readonly open?: typeof openExchange;
}

/**
 * The first way to a service that answers, of all addresses over all interfaces at once; interfaces
 * that get an address meanwhile are asked as well. The others are let go. Throws what an address
 * answered that is final (`datasource/malformed`, `datasource/refused`) when no other way is left, and
 * `datasource/unreachable` at the end of the budget.
 */
export async function openService(options: OpenOptions): Promise<OpenedService> {
  const { signal, addresses } = options;
  const { interfaces = needInterfaces(addresses) ? networkInterfaces : () => ({}) } = options;
  const asked = new Map<string, Asked>();
  const over = new AbortController();
  const waiting = { signal: AbortSignal.any([signal, over.signal]) };
  let won: Exchange | undefined;
  try {
    for (;;) {
      for (const candidate of candidatesFor(addresses, interfaces())) {
        const key = `${candidate.url} ${candidate.from}`;
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
      const refusal = failures.find((fault) => isFinal(fault));
      if (refusal !== undefined && failures.every((fault) => isFinal(fault))) throw refusal;
      if (signal.aborted) throw nothingAnswers(options, all.length);
      for (const [key, { failure, exchange }] of asked) {
        if (failure() === undefined || isFinal(failure())) continue;
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
  const answer = probe(candidate, exchange, [service.probe].flat()).catch((error) => {
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
  paths: readonly string[],
): Promise<OpenedService> {
  for (const path of paths) {
    if ((await exchange.get(path)) !== undefined) return { candidate, exchange };
  }
  const place = `${candidate.url}${paths.join(" and ")}`;
  throw new Fault("datasource/malformed", `${place}: answered with 404`);
}

function isFinal(fault: unknown): fault is Fault {
  return isFault(fault, "datasource/malformed") || isFault(fault, "datasource/refused");
}

function nothingAnswers({ addresses, budgetMs }: OpenOptions, ways: number): Fault {
  const over =
    ways === 0
      ? "no interface has an address"
      : `${counted(ways, "way")} ${ways === 1 ? "was" : "were"} tried`;
  return new Fault(
    "datasource/unreachable",
    `no metadata within ${budgetMs} ms from ${addresses.join(", ")}: ${over}`,
  );
}
