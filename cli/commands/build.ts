import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import type { Command } from "../command.ts";
import { fetchOptions, renderNode, systemOptions } from "../node.ts";

/** `firstlight build` */
export const command: Command = {
  usage: "build [--root DIR] [--driver nix|dry] [--fetch FILE] [--json]",
  summary: "Build the system that the datasource asks for; activate nothing.",
  help: "With --fetch the system is not built but fetched, as the signed manifest in FILE says.",
  options: { ...systemOptions, ...fetchOptions },
  arity: [0, 0],
  async run(invocation) {
    const { json, out } = invocation;
    const { obtain, rendering, reason } = await renderNode(invocation);
    const closure = await obtain(rendering.sources, reason);
    out.data(json ? prettyJson({ v: 1, closure, findings: rendering.findings }) : closure.toplevel);
    return exitCodes.done;
  },
};
