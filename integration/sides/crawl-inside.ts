// Asks four clouds as the boot does, from inside of its unit's sandbox, and prints what they said.

import { readFileSync } from "node:fs";
import { readGuestInfoVariables } from "#agent/datasources/guestinfo-variables.ts";
import { readIdentity } from "#agent/datasources/identity.ts";
import { crawlInChild } from "#agent/datasources/metadata/crawl-child.ts";
import type { CrawlJob, CrawlReport } from "#agent/datasources/metadata/service.ts";
import { hostIo } from "#core/host-io.ts";
import { apart } from "#provisioner/system/sides/courier-child.ts";
import { readTools } from "../../cli/crawler.ts";
import { inside } from "./container.ts";

/** By who asked whom: the answers as texts by path, or why there are none. */
export type CrawledInside = Readonly<Record<string, Readonly<Record<string, string>> | string>>;

const io = hostIo();
const main = `${inside.checkout}/cli/main.ts`;
process.argv[1] = main; // whose children are to be started
const budgetMs = 10_000;

async function textsOf(crawl: Promise<CrawlReport>): Promise<CrawledInside[string]> {
  try {
    const { answers } = await crawl;
    const texts = [...answers].map(([path, bytes]) => [path, Buffer.from(bytes).toString()]);
    return Object.fromEntries(texts) as Record<string, string>;
  } catch (error) {
    return String(error);
  }
}

function textOf(read: () => string): string {
  try {
    return read();
  } catch (error) {
    return String(error);
  }
}

const { crawl } = readTools(io, {});
const jobs: readonly CrawlJob[] = [
  { datasource: "Ec2", addresses: ["http://169.254.169.254"], budgetMs },
  { datasource: "Scaleway", addresses: ["http://169.254.42.42"], budgetMs },
  { datasource: "LXD", addresses: ["unix:/dev/lxd/sock"], budgetMs },
  { datasource: "CloudSigma", addresses: ["serial:/dev/ttyS1"], budgetMs },
];
const asked: [string, CrawledInside[string]][] = [];
for (const job of jobs) {
  asked.push([
    job.datasource,
    await textsOf(crawl?.(job) ?? Promise.reject(new Error("no crawl"))),
  ]);
}
const program = [inside.node, main, "crawl"] as const;
const [ec2, scaleway, lxd, cloudSigma] = jobs;
const others: readonly (readonly [string, CrawlJob | undefined, Parameters<typeof apart>[1]])[] = [
  ["Ec2, without the group", ec2, {}],
  ["Scaleway, without the capability", scaleway, { group: "firstlight-metadata" }],
  ["LXD, as one of the network", lxd, {}],
  ["CloudSigma, as one of the network", cloudSigma, {}],
];
for (const [name, job, options] of others) {
  if (job === undefined) throw new Error(name);
  asked.push([
    name,
    await textsOf(crawlInChild(io, apart(program, options))({ ...job, budgetMs: 3_000 })),
  ]);
}
const seen = [...readGuestInfoVariables(io.files)];
asked.push([
  "process 1",
  { ...Object.fromEntries(seen), ...{ product: readIdentity(io.files).initProductName } },
]);
asked.push(["process 1, looked at", textOf(() => readFileSync("/proc/1/environ", "utf8"))]);
console.log(JSON.stringify(Object.fromEntries(asked)));
