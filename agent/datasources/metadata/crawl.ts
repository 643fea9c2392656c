import { lookup } from "node:dns/promises";
import { setTimeout as delay } from "node:timers/promises";
import { Fault, isFault } from "#core/fault.ts";
import type { Cloud } from "../cloud.ts";
import { AttemptLog } from "./attempt-log.ts";
import { type Exchange, openExchange } from "./exchange.ts";
import { type OpenedService, type OpenOptions, openService } from "./open-service.ts";
import type {
  CrawlJob,
  CrawlReport,
  Lack,
  MetadataClient,
  MetadataService,
  Tokens,
} from "./service.ts";

/** Of all answers together. */
const mostBytes = 32 * 1024 * 1024;
/** For one answer that a machine can do without. */
const longestWithoutMs = 5_000;
/** For a name server that is on the same network. */
const lookupMs = 2_000;
const leastWithoutMs = 20;

/**
 * Asks a cloud for everything that it says, or tells it how the machine is, within the budget. The
 * fault of a crawl that failed holds the attempts as `attempts` and `unrecorded`. `fakes` are for tests.
 */
export async function crawlCloud(
  cloud: Pick<Cloud, "name" | "service" | "crawl" | "ready">,
  {
    task = "crawl",
    problem,
    addresses,
    named,
    oAuth,
    tokens,
    expected,
    routed,
    budgetMs,
  }: Omit<CrawlJob, "datasource">,
  stop?: AbortSignal,
  fakes: Pick<OpenOptions, "interfaces" | "open" | "patienceMs" | "lookAgainMs" | "now"> = {},
): Promise<CrawlReport> {
  const { name } = cloud;
  const asked = task === "ready" ? telling(cloud, problem) : cloud;
  const { crawl } = asked;
  const service = withTokens(asked.service, tokens);
  const places = [...(await resolved(named)), ...(addresses ?? service.addresses)];
  if (places.length === 0) throw nowhere(name);
  const log = new AttemptLog();
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), budgetMs);
  const signal = stop === undefined ? late.signal : AbortSignal.any([late.signal, stop]);
  const context = {
    ...{ service, oAuth, signal, budgetMs, startedAt: performance.now() },
    record: log.record,
  };
  let ports: Ports | undefined;
  try {
    const opened = await openService({ ...context, ...fakes, addresses: places, expected, routed });
    const { open = openExchange } = fakes;
    ports = portsOf(opened, (candidate) => open(candidate, context));
    const answers = new Map<string, Uint8Array>();
    const lacks: Lack[] = [];
    await crawl(bearing(keeping(ports, opened, answers), lacks, { ...context, ...fakes }));
    const { url, from, socketPath } = opened.candidate;
    const place =
      socketPath === undefined ? { url, from } : { url: `unix:${socketPath}`, from: null };
    const tokenless = opened.exchange.tokenless?.() ?? false;
    const { attempts, unrecorded } = log;
    const { strangers } = opened;
    return { service: place, answers, attempts, unrecorded, lacks, tokenless, strangers };
  } catch (error) {
    throw withAttempts(late.signal.aborted ? outOfTime(name, budgetMs, error) : error, log);
  } finally {
    clearTimeout(timer);
    ports?.close();
  }
}

function telling(
  { name, ready }: Pick<Cloud, "name" | "ready">,
  problem: string | undefined,
): Pick<Cloud, "service" | "crawl"> {
  if (ready === undefined) throw new Error(`${name} is not told that a machine is up`);
  return { service: ready.service, crawl: (client) => ready.tell(client, problem) };
}

/** Exchanges with the ports of one address. */
interface Ports {
  /** That of a port, of the service itself where there is none. */
  at(port: number | undefined): Exchange;
  close(): void;
}

function portsOf(
  { candidate, exchange }: OpenedService,
  open: (candidate: OpenedService["candidate"]) => Exchange,
): Ports {
  const others = new Map<number, Exchange>();
  const openPort = (port: number) => {
    const url = Object.assign(new URL(candidate.url), { port: String(port) }).origin;
    const other = open({ ...candidate, url, port });
    others.set(port, other);
    return other;
  };
  return {
    at: (port) => (port === undefined ? exchange : (others.get(port) ?? openPort(port))),
    close() {
      for (const each of [exchange, ...others.values()]) each.close();
    },
  };
}

/** Addresses behind names; those that nobody knows at once are left out. */
async function resolved(named: readonly string[] = []): Promise<readonly string[]> {
  const found = await Promise.all(
    named.map(async (place) => {
      const url = new URL(place);
      const late = delay(lookupMs, [], { ref: false });
      const known = lookup(url.hostname, { all: true }).catch(() => []);
      const addresses = await Promise.race([known, late]);
      return addresses.map(({ address, family }) => {
        return Object.assign(url, { hostname: family === 6 ? `[${address}]` : address }).origin;
      });
    }),
  );
  return found.flat();
}

/** Where a service says so that it gives no token. */
const noToken = [400, 403, 404, 405];

function withTokens(service: MetadataService, tokens: Tokens | undefined): MetadataService {
  const { token, ...rest } = service;
  if (token === undefined || tokens === undefined) return service;
  return tokens === "none" ? rest : { ...rest, token: { ...token, optionalOn: noToken } };
}

/**
 * A client that does without what a machine can do without. That may take a part of the budget only, all
 * of it together, whether it comes or not: what is slow shall cost nothing that a machine needs.
 */
function bearing(
  client: Kept,
  lacks: Lack[],
  {
    budgetMs,
    signal,
    now = () => performance.now(),
  }: Pick<OpenOptions, "budgetMs" | "signal" | "now">,
): MetadataClient {
  let leftMs = budgetMs / 3;
  const get: MetadataClient["get"] = async (path, { without, ...options } = {}) => {
    if (without === undefined) return client.get(path, options);
    // Of what is left a part, so that one that does not come leaves time for others.
    const withinMs = Math.floor(Math.min(longestWithoutMs, leftMs / 3));
    const startedAt = now();
    try {
      if (withinMs < leastWithoutMs)
        throw new Fault("datasource/unreachable", "not asked for: what came before took too long");
      return await client.get(path, { withinMs, ...options });
    } catch (error) {
      if (!isFault(error) || signal.aborted) throw error;
      lacks.push({ level: without, path, problem: error.message });
      return undefined;
    } finally {
      leftMs -= now() - startedAt;
    }
  };
  return {
    get,
    hasTime: () => leftMs / 3 >= leastWithoutMs,
    post: client.post,
    lack: (lack) => void lacks.push(lack),
    async text(path, options) {
      const bytes = await get(path, options);
      return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
    },
  };
}

type Kept = Pick<MetadataClient, "get" | "post">;

/** A client whose answers are kept by their path. */
function keeping(
  ports: Ports,
  { candidate }: OpenedService,
  answers: Map<string, Uint8Array>,
): Kept {
  let total = 0;
  const get: MetadataClient["get"] = async (path, options) => {
    const [, port, rest = path] = /^:(\d+)(\/.*)$/.exec(path) ?? [];
    const exchange = ports.at(port === undefined ? undefined : Number(port));
    const bytes = await exchange.get(rest, options);
    if (bytes === undefined) return undefined;
    total += bytes.length;
    if (total > mostBytes)
      throw new Fault(
        "datasource/malformed",
        `${candidate.url}: more than ${mostBytes} bytes came`,
      );
    answers.set(path, bytes);
    return bytes;
  };
  return {
    get,
    post: (path, body, options) => ports.at(undefined).post(path, body, options),
  };
}

function nowhere(name: string): Fault {
  const message = `${name}: this machine does not know yet where its metadata service is`;
  return new Fault("datasource/unreachable", message, {
    hint: "it is known from the lease of the network; else name it in the settings (`metadata.addresses`)",
  });
}

function outOfTime(name: string, budgetMs: number, cause: unknown): Fault {
  const why = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof Fault && cause.message.startsWith("no metadata within")) return cause;
  return new Fault(
    "datasource/unreachable",
    `${name}: not all was said within ${budgetMs} ms: ${why}`,
  );
}

function withAttempts(error: unknown, { attempts, unrecorded }: AttemptLog): unknown {
  return error instanceof Error ? Object.assign(error, { attempts, unrecorded }) : error;
}
