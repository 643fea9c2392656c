import { Fault } from "#core/fault.ts";
import type { Cloud } from "../cloud.ts";
import { type OpenedService, type OpenOptions, openService } from "./open-service.ts";
import type { CrawlJob, CrawlReport, MetadataAttempt, MetadataClient } from "./service.ts";

/** Of all answers together. */
const mostBytes = 32 * 1024 * 1024;
/** The last ones: a service that is away is asked for a long time. */
const mostAttempts = 500;

/**
 * Asks a cloud for everything that it says, or tells it that the machine is up, within the budget. The
 * fault of a crawl that failed holds the attempts as `attempts`. `fakes` are for tests.
 */
export async function crawlCloud(
  cloud: Pick<Cloud, "name" | "service" | "crawl" | "ready">,
  { task = "crawl", addresses, budgetMs }: Omit<CrawlJob, "datasource">,
  stop?: AbortSignal,
  fakes: Pick<OpenOptions, "interfaces" | "open"> = {},
): Promise<CrawlReport> {
  const { name } = cloud;
  const asked = task === "ready" ? cloud.ready : cloud;
  if (asked === undefined) throw new Error(`${name} is not told that a machine is up`);
  const { service, crawl } = asked;
  const attempts: MetadataAttempt[] = [];
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), budgetMs);
  const signal = stop === undefined ? late.signal : AbortSignal.any([late.signal, stop]);
  const context = {
    ...{ service, signal, budgetMs, startedAt: performance.now() },
    record(attempt: MetadataAttempt) {
      attempts.push(attempt);
      if (attempts.length > mostAttempts) attempts.shift();
    },
  };
  let opened: OpenedService | undefined;
  try {
    opened = await openService({ ...context, ...fakes, addresses: addresses ?? service.addresses });
    const answers = new Map<string, Uint8Array>();
    await crawl(keeping(opened, answers));
    const { url, from } = opened.candidate;
    return { service: { url, from }, answers, attempts };
  } catch (error) {
    throw withAttempts(late.signal.aborted ? outOfTime(name, budgetMs, error) : error, attempts);
  } finally {
    clearTimeout(timer);
    opened?.exchange.close();
  }
}

/** A client whose answers are kept by their path. */
function keeping(
  { exchange, candidate }: OpenedService,
  answers: Map<string, Uint8Array>,
): MetadataClient {
  let total = 0;
  const get: MetadataClient["get"] = async (path, options) => {
    const bytes = await exchange.get(path, options);
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
    post: (path, body, options) => exchange.post(path, body, options),
    async text(path, options) {
      const bytes = await get(path, options);
      return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
    },
  };
}

function outOfTime(name: string, budgetMs: number, cause: unknown): Fault {
  const why = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof Fault && cause.message.startsWith("no metadata within")) return cause;
  return new Fault(
    "datasource/unreachable",
    `${name}: not all was said within ${budgetMs} ms: ${why}`,
  );
}

function withAttempts(error: unknown, attempts: readonly MetadataAttempt[]): unknown {
  return error instanceof Error ? Object.assign(error, { attempts }) : error;
}
