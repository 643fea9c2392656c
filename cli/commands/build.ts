import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import type { Command } from "../command.ts";
import { systemOptions } from "../node.ts";
import { renderNode } from "../node-deps.ts";

/** `firstlight build` */
export const command: Command = {
  usage: "build [--root DIR] [--driver nix|dry] [--json]",
  summary: "Build the system that the datasource asks for; activate nothing.",
  options: systemOptions,
  arity: [0, 0],
  async run(invocation) {
    const { json, out } = invocation;
    const { system, rendering, reason } = await renderNode(invocation);
    const closure = await system.build(rendering.sources, reason);
    out.data(json ? prettyJson({ v: 1, closure, findings: rendering.findings }) : closure.toplevel);
    return exitCodes.done;
  },
};
