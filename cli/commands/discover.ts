import { discover } from "#agent/datasources/discover.ts";
import type { MetadataAttempt } from "#agent/datasources/metadata/service.ts";
import { readSettings } from "#agent/settings.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { formatFinding } from "#core/finding.ts";
import type { Command } from "../command.ts";
import { readTools } from "../crawler.ts";
import { pinnedDatasource } from "../node.ts";

/** `firstlight discover` */
export const command: Command = {
  usage: "discover [--root DIR] [--json]",
  summary: "Say which cloud or disk describes this machine, and what it says, secrets left out.",
  arity: [0, 0],
  async run({ io, log, out, json }) {
    const settings = await readSettings(io.files);
    const tools = readTools(io, settings);
    const { datasources } = settings;
    const pinned = pinnedDatasource(io.files, settings);
    const found = await discover(io, { datasources, pinned, log, tools });
    if (found.kind === "disabled") {
      out.data(json ? prettyJson({ v: 1, ...found }) : `switched off by ${found.by}`);
      return 0;
    }
    const { instance, findings, attempts: exchanges = [] } = found.content;
    if (json) {
      out.data(
        prettyJson({
          ...{ v: 1, kind: found.kind, instance, findings },
          ...{ attempts: found.attempts, exchanges },
        }),
      );
      return 0;
    }
    for (const finding of findings) out.talk(formatFinding(finding));
    for (const { name, result, evidence } of found.attempts)
      out.talk([name, result, ...(evidence.length === 0 ? [] : [evidence.join("; ")])].join(": "));
    for (const exchange of exchanges) out.talk(exchangeLine(exchange));
    out.data(prettyJson(instance));
    return 0;
  },
};

function exchangeLine({ method, url, from, atMs, ms, status, error }: MetadataAttempt): string {
  const over = from === null ? "" : ` from ${from}`;
  return `${atMs} ms: ${method} ${url}${over}: ${status ?? error ?? "nothing"} after ${ms} ms`;
}
