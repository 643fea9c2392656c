import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { planText, previewText } from "#provisioner/system/plan-text.ts";
import type { Plan, SourcesPreview } from "#provisioner/system/system.ts";
import type { Command, Invocation } from "../command.ts";
import { fetchOptions, systemOptions } from "../node.ts";
import { type RenderedNode, renderNode, renderOnly } from "../node-deps.ts";

/** `firstlight plan` */
export const command: Command = {
  usage: "plan [--preview] [--root DIR] [--driver nix|dry] [--fetch FILE] [--json]",
  summary: "Say what `apply` would change, down to the units and commands; change nothing.",
  help: "The system is built, so that the plan is the real one; nothing is activated. The plan's digest\nis what `apply --plan DIGEST` takes. With --fetch it is fetched, as the signed manifest in FILE says.\nWith --preview nothing is built or fetched: files, options, and how much would be fetched.\nIn either case what the datasource says is resolved first: its secrets are kept below /var/lib/firstlight, and\nthe node's key is made where there is none.",
  options: { ...systemOptions, ...fetchOptions, preview: { type: "boolean" } },
  arity: [0, 0],
  async run(invocation) {
    const isPreview = invocation.flags["preview"] === true;
    const node = await (isPreview ? renderOnly : renderNode)(invocation);
    const { system, obtain, rendering, reason } = node;
    const { sources } = rendering;
    const running = await system.runs(sources.digest);
    if (running.runs) tell(invocation, node, { text: ["nothing would change"] });
    else if (isPreview) {
      const preview = await node.preview(sources);
      tell(invocation, node, { text: previewText(preview), preview });
    } else {
      const plan = await system.plan(await obtain(sources, reason), true);
      tell(invocation, node, { text: planText(plan), plan });
    }

    return exitCodes.done;
  },
};

/** What is told, for a person and as data. */
interface Told {
  readonly text: readonly string[];
  readonly plan?: Plan;
  readonly preview?: SourcesPreview;
}

/** The document of `provisioner/system/plan.schema.json`, or its lines. */
function tell({ json, out }: Invocation, { rendering }: RenderedNode, told: Told): void {
  const unchanged = told.plan === undefined && told.preview === undefined;
  const { findings } = rendering;
  out.data(json ? prettyJson({ v: 1, unchanged, ...told, findings }) : told.text.join("\n"));
}
