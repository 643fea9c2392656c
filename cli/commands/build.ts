import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { type Command, textFlag } from "../command.ts";
import { fetchOptions, systemOptions } from "../node.ts";
import { renderNode } from "../node-deps.ts";

/** `firstlight build` */
export const command: Command = {
  usage: "build [--root DIR] [--driver nix|dry] [--fetch FILE] [--json]",
  summary: "Build the system that the datasource asks for; activate nothing.",
  help: "It is built here, also where the settings let the node fetch; with --fetch it is fetched, as the signed manifest in FILE says.",
  options: { ...systemOptions, ...fetchOptions },
  arity: [0, 0],
  async run(invocation) {
    const { json, out, flags } = invocation;
    const { system, obtain, rendering, reason } = await renderNode(invocation);
    const isFetched = textFlag(flags, "fetch") !== undefined;
    const closure = await (isFetched ? obtain : system.build)(rendering.sources, reason);
    out.data(json ? prettyJson({ v: 1, closure, findings: rendering.findings }) : closure.toplevel);
    return exitCodes.done;
  },
};
