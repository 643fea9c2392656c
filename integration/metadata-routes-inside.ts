// Asks for metadata as a boot does, without and with rules of routing, inside of network namespaces whose
// default routes compete: node metadata-routes-inside.ts ADDRESS

import { execFileSync } from "node:child_process";
import { ec2 } from "#agent/datasources/clouds/ec2.ts";
import { crawlCloud } from "#agent/datasources/metadata/crawl.ts";
import type { Crawl, CrawlReport } from "#agent/datasources/metadata/service.ts";
import { overEachInterface } from "#agent/datasources/metadata/ways-out.ts";
import { exchangesOf } from "#agent/datasources/search.ts";
import { hostIo } from "#core/host-io.ts";

/** What came of one crawl. */
interface Asked {
  readonly problem: string | null;
  /** Where the answer was asked from. */
  readonly from: string | null;
  /** From where anybody was asked. */
  readonly asked: readonly string[];
  readonly lacks: CrawlReport["lacks"];
}

/** As JSON on standard output. */
export interface RoutesAnswer {
  readonly without: Asked;
  readonly within: Asked;
  /** Rules and routes of ours that are there at the end. */
  readonly rulesAfter: string;
  readonly routesAfter: string;
}

const address = process.argv[2] ?? "";
const isIpv6 = address.includes(":");
const url = `http://${isIpv6 ? `[${address}]` : address}`;
const only = { ...ec2, crawl: async () => {} };
const crawl: Crawl = (job, signal) => crawlCloud(only, job, signal);

async function ask(asks: Crawl, budgetMs: number): Promise<Asked> {
  const named = (attempts: CrawlReport["attempts"]) => attempts.flatMap(({ from }) => from ?? []);
  try {
    const job = { datasource: "Ec2", addresses: [url], budgetMs };
    const { service, attempts, lacks } = await asks(job);
    return { problem: null, from: service?.from ?? null, asked: named(attempts), lacks };
  } catch (error) {
    return {
      problem: (error as Error).message,
      from: null,
      asked: named(exchangesOf(error)),
      lacks: [],
    };
  }
}

const ip = (...args: readonly string[]) =>
  execFileSync("ip", [isIpv6 ? "-6" : "-4", ...args], { encoding: "utf8" });

const without = await ask(crawl, 3_000);
const { exec } = hostIo();
const within = await ask(overEachInterface(crawl, { exec, addresses: [] }), 15_000);
const rulesAfter = ip("rule")
  .split("\n")
  .filter((line) => line.includes("proto 241"))
  .join("\n");
const routesAfter = ip("route", "show", "table", "all", "proto", "241");
console.log(JSON.stringify({ without, within, rulesAfter, routesAfter } satisfies RoutesAnswer));
