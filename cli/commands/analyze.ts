import { readBoots } from "#agent/boot-records.ts";
import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { blameText, costsOf, showText } from "../boot-times.ts";
import { type Command, textFlag } from "../command.ts";

const kinds = ["show", "blame", "update"] as const;

/** `firstlight analyze` */
export const command: Command = {
  usage: "analyze show|blame|update [--last N] [--root DIR] [--json]",
  summary: "Say what took how long in the last boots, and how the datasource was found.",
  help: "show: stages in order, the datasources that were tried, every exchange with a metadata service.\nblame: the same by the time it took, the longest first. The last 20 boots and changes are kept, for root;\n--last says of how many is told (default 1), oldest first.\nupdate: the last updates of the fleet, each state with its time; the last 16 at least are kept.",
  options: { last: { type: "string" } },
  arity: [1, 1],
  async run({ io, args, flags, json, out }) {
    const [kind] = args;
    if (kind !== "show" && kind !== "blame" && kind !== "update")
      throw new Fault("cli/usage", `one of ${kinds.join(", ")} was expected`);
    const given = textFlag(flags, "last") ?? "1";
    if (!/^[1-9]\d{0,3}$/.test(given))
      throw new Fault("cli/usage", "--last: a number of boots, or of updates, was expected");
    if (kind === "update") {
      const { drawTimeline, timelines } = await import("../update-timeline.ts");
      const { readLedger } = await import("#agent/update/ledger.ts");
      const updates = timelines(readLedger(io.files).records).slice(-Number(given));
      if (updates.length === 0)
        throw new Fault("update/unknown", "no update was ever assigned to this machine");
      const drawn = () => updates.map((one) => drawTimeline(one, out.page)).join("\n\n");
      out.data(json ? prettyJson({ v: 1, updates }) : drawn());
      return exitCodes.done;
    }
    const boots = readBoots(io.files).slice(-Number(given));
    if (boots.length === 0)
      throw new Fault("boot/no-result", "no boot that is remembered has ended yet");
    if (json) {
      const told = boots.map((boot) =>
        kind === "show" ? boot : { ...boot, costs: costsOf(boot) },
      );
      out.data(prettyJson({ v: 1, boots: told }));
    } else out.data(boots.map(kind === "show" ? showText : blameText).join("\n\n"));
    return exitCodes.done;
  },
};
