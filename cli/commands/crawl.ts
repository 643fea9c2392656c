import { clouds } from "#agent/datasources/clouds/table.ts";
import { crawlCloud } from "#agent/datasources/metadata/crawl.ts";
import { readJob, reportOf } from "#agent/datasources/metadata/crawl-words.ts";
import { exitCodes } from "#agent/outcome.ts";
import { Fault } from "#core/fault.ts";
import type { Command } from "../command.ts";
import { readInput } from "../read-input.ts";

/** `firstlight crawl`, hidden: the child that asks a metadata service, and has no privileges. */
export const command: Command = {
  usage: "crawl",
  summary: "Ask the metadata service that the standard input names; started by firstlight itself.",
  arity: [0, 0],
  async run({ out, signal }) {
    const job = readJob(Buffer.from(await readInput("-", { signal })).toString("utf8"));
    const cloud = clouds.find(({ name }) => name === job?.datasource);
    if (job === undefined || cloud === undefined)
      throw new Fault("cli/usage", "crawl: expected one line of JSON that names a cloud");
    out.data(await reportOf(crawlCloud(cloud, job, signal)));
    return exitCodes.done;
  },
};
