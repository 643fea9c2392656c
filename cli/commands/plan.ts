import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import type { Plan } from "#provisioner/system/system.ts";
import type { Command } from "../command.ts";
import { systemOptions } from "../node.ts";
import { renderNode } from "../node-deps.ts";

/** `firstlight plan` */
export const command: Command = {
  usage: "plan [--root DIR] [--driver nix|dry] [--json]",
  summary: "Say what `apply` would change, down to the units and commands; change nothing.",
  help: "The system is built, so that the plan is the real one; nothing is activated.",
  options: systemOptions,
  arity: [0, 0],
  async run(invocation) {
    const { json, out } = invocation;
    const { system, rendering, reason } = await renderNode(invocation);
    const running = await system.runs(rendering.sources.digest);
    if (running.runs) {
      out.data(json ? prettyJson({ v: 1, unchanged: true, ...running }) : "nothing would change");
      return exitCodes.done;
    }
    const plan = await system.plan(await system.build(rendering.sources, reason));
    out.data(
      json
        ? prettyJson({ v: 1, unchanged: false, plan, findings: rendering.findings })
        : describePlan(plan),
    );
    return exitCodes.done;
  },
};

/** The same plan for a person. */
function describePlan(plan: Plan): string {
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
  const { from, closure, reboot } = plan;
  return [
    `plan ${plan.digest.slice(0, 16)}: ${from.toplevel ?? "no system yet"} -> ${closure.toplevel}`,
    `because: ${closure.reason.why}`,
    ...section(
      "files:",
      plan.files.map(({ path, change }) => `${change} ${path}`),
    ),
    ...(["start", "stop", "restart", "reload"] as const).flatMap((verb) =>
      section(`units to ${verb}:`, plan.units[verb]),
    ),
    reboot.needed ? `reboot: needed (${reboot.why.join("; ")})` : "reboot: not needed",
    ...section("warnings:", plan.warnings),
    ...section(
      "commands:",
      plan.commands.map((argv) => argv.join(" ")),
    ),
  ].join("\n");
}
