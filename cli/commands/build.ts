import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { formatFinding } from "#core/finding.ts";
import type { Command } from "../command.ts";
import { renderNode, systemOptions } from "../node.ts";

/** `firstlight build` */
export const command: Command = {
  usage: "build [--root DIR] [--driver nix|dry] [--json]",
  summary: "Build the system that the datasource asks for; activate nothing.",
  options: systemOptions,
  arity: [0, 0],
  async run(invocation) {
    const { json, out } = invocation;
    const { deps, rendering } = await renderNode(invocation);
    for (const finding of rendering.findings) out.talk(formatFinding(finding));
    await deps.system.recover();
    const reason = {
      by: "apply",
      why: rendering.decision.why,
      instanceId: rendering.content.instance.instanceId,
    } as const;
    const closure = await deps.system.build(rendering.sources, reason);
    out.data(json ? prettyJson({ v: 1, closure, findings: rendering.findings }) : closure.toplevel);
    return exitCodes.done;
  },
};
