import { discover } from "#agent/datasources/discover.ts";
import { readSettings } from "#agent/settings.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { formatFinding } from "#core/finding.ts";
import type { Command } from "../command.ts";

/** `firstlight discover` */
export const command: Command = {
  usage: "discover [--root DIR] [--json]",
  summary: "Say which cloud or disk describes this machine, and what it says, secrets left out.",
  arity: [0, 0],
  async run({ io, log, out, json }) {
    const settings = await readSettings(io.files);
    const found = await discover(io, { datasources: settings.datasources, log });
    if (found.kind === "disabled") {
      out.data(json ? prettyJson({ v: 1, ...found }) : `switched off by ${found.by}`);
      return 0;
    }
    const { instance, findings } = found.content;
    if (json) {
      out.data(
        prettyJson({ v: 1, kind: found.kind, instance, findings, attempts: found.attempts }),
      );
      return 0;
    }
    for (const finding of findings) out.talk(formatFinding(finding));
    for (const { name, result, evidence } of found.attempts)
      out.talk(`${name}: ${result}: ${evidence.join("; ")}`);
    out.data(prettyJson(instance));
    return 0;
  },
};
