import { type Attempt, discover } from "#agent/datasources/discover.ts";
import type { MetadataAttempt } from "#agent/datasources/metadata/service.ts";
import { exchangesOf, triedOf, unrecordedOf } from "#agent/datasources/search.ts";
import { exitCodeOfFault } from "#agent/outcome.ts";
import { readSettings } from "#agent/settings.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { counted } from "#core/count.ts";
import { describeFault, isFault } from "#core/fault.ts";
import { formatFinding } from "#core/finding.ts";
import { attemptLine, exchangeLine } from "../boot-times.ts";
import type { Command } from "../command.ts";
import { readTools } from "../crawler.ts";
import { pinnedDatasource } from "../node.ts";

/** `firstlight discover` */
export const command: Command = {
  usage: "discover [--root DIR] [--json]",
  summary: "Say which cloud or disk describes this machine, and what it says, secrets left out.",
  help: "Which others were possible, by what evidence, how long each took and every exchange with a metadata service\nare told as well, also where nothing was found or what was found cannot be used.",
  arity: [0, 0],
  async run({ io, log, out, json }) {
    const settings = await readSettings(io.files);
    const tools = readTools(io, settings);
    const { datasources, networkSources: networkPlaces } = settings;
    const pinned = pinnedDatasource(io.files, settings);
    const explain = (
      attempts: readonly Attempt[],
      exchanges: readonly MetadataAttempt[],
      unrecorded: number,
    ) => {
      for (const attempt of attempts) out.talk(attemptLine(attempt));
      for (const exchange of exchanges) out.talk(exchangeLine(exchange));
      if (unrecorded > 0)
        out.talk(`and ${counted(unrecorded, "exchange")} more before the last ones`);
    };
    try {
      const found = await discover(io, { datasources, networkPlaces, pinned, log, tools });
      if (found.kind === "disabled") {
        out.data(json ? prettyJson({ v: 1, ...found }) : `switched off by ${found.by}`);
        return 0;
      }
      const { kind, attempts, content } = found;
      const { instance, findings, attempts: exchanges = [], unrecorded = 0 } = content;
      if (json) {
        out.data(prettyJson({ v: 1, kind, instance, findings, attempts, exchanges, unrecorded }));
        return 0;
      }
      for (const finding of findings) out.talk(formatFinding(finding));
      explain(attempts, exchanges, unrecorded);
      out.data(prettyJson(instance));
      return 0;
    } catch (error) {
      if (!isFault(error)) throw error;
      const [attempts, exchanges] = [triedOf(error), exchangesOf(error)];
      const unrecorded = unrecordedOf(error);
      if (!json) {
        explain(attempts, exchanges, unrecorded);
        throw error;
      }
      const { findings } = error;
      const fault = describeFault(error);
      out.data(prettyJson({ v: 1, fault, findings, attempts, exchanges, unrecorded }));
      return exitCodeOfFault(fault);
    }
  },
};
