import { clouds } from "#agent/datasources/clouds/table.ts";
import type { ReadTools } from "#agent/datasources/datasource.ts";
import type { Crawl } from "#agent/datasources/metadata/service.ts";
import { defaultUserName } from "#agent/default-user.ts";
import { durationMs } from "#core/duration.ts";
import type { Io } from "#core/io.ts";
import type { Settings } from "#generated/agent/settings.ts";
import { nodeCourier } from "./courier.ts";
import { metadataGroup } from "./metadata-group.ts";
import { thisProgram } from "./this-program.ts";

const defaultBudgetMs = 30_000;

/** What reading a datasource may use on this machine. */
export function readTools(
  io: Io,
  { metadata, defaultUser = defaultUserName }: Settings,
): ReadTools {
  const budgetMs = durationMs(metadata?.timeout, defaultBudgetMs);
  return {
    defaultUser,
    imdsv1: metadata?.imdsv1 ?? false,
    budgetMs,
    fetch: async (url, maxBytes, refused) => {
      const { readFile } = await import("#agent/fetch-sources.ts");
      const options = { clock: io.clock, courier: nodeCourier(io), timeoutMs: budgetMs, refused };
      return readFile(url, maxBytes, options);
    },
    crawl: async (job, signal) => {
      const place = job.task === "ready" ? `${job.datasource}/ready` : job.datasource;
      const addresses = metadata?.addresses?.[place];
      const crawl = await crawler(io, job.datasource);
      return crawl(addresses === undefined ? job : { ...job, addresses, named: [] }, signal);
    },
  };
}

/** As root under systemd a child without privileges, or without a network, else this process. */
async function crawler(io: Io, name: string): Promise<Crawl> {
  const cloud = clouds.find((each) => each.name === name);
  if (cloud === undefined) throw new Error(`there is no cloud ${name}`);
  const isRoot = io.files.root === "/" && process.geteuid?.() === 0;
  const hasSystemd = io.files.stat("/run/systemd/system")?.kind === "directory";
  if (!isRoot || !hasSystemd) {
    const { crawlCloud } = await import("#agent/datasources/metadata/crawl.ts");
    return (job, signal) => crawlCloud(cloud, job, signal);
  }
  const { apart } = await import("#provisioner/system/sides/courier-child.ts");
  const { crawlInChild } = await import("#agent/datasources/metadata/crawl-child.ts");
  const { privilegedPort: privilegedPorts = false, devices = [] } = cloud.service;
  if (cloud.onMachine === true) return crawlInChild(io, apart(thisProgram("crawl"), { devices }));
  const { overEachInterface } = await import("#agent/datasources/metadata/ways-out.ts");
  const options = { privilegedPorts, group: metadataGroup(io) };
  return overEachInterface(crawlInChild(io, apart(thisProgram("crawl"), options)), {
    ...{ exec: io.exec, addresses: cloud.service.addresses },
  });
}
