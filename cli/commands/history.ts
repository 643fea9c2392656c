import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import type { Command } from "../command.ts";
import { openSystem, systemOptions } from "../node.ts";

/** `firstlight history` */
export const command: Command = {
  usage: "history [--root DIR] [--driver nix|dry] [--json]",
  summary: "List the generations: when, why, how healthy, and which one runs.",
  options: systemOptions,
  arity: [0, 0],
  async run(invocation) {
    const { json, out } = invocation;
    const { generations } = await (await openSystem(invocation)).history();
    if (json) {
      out.data(prettyJson({ v: 1, generations }));
      return exitCodes.done;
    }
    if (generations.length === 0) out.talk("there is no generation yet");
    for (const { generation, at, outcome, running, bootDefault, reason } of generations) {
      const marks = [...(running ? ["runs"] : []), ...(bootDefault ? ["boot default"] : [])].join(
        ", ",
      );
      const why = reason === null ? "not made by firstlight" : `${reason.by}: ${reason.why}`;
      out.data(
        `${String(generation ?? "-").padStart(4)}  ${(at ?? "").padEnd(24)}  ${outcome.padEnd(11)}  ${why}${marks === "" ? "" : `  [${marks}]`}`,
      );
    }
    return exitCodes.done;
  },
};
