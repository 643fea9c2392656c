import { readFacts } from "#agent/facts/read-facts.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Command } from "../command.ts";
import { drawMachine } from "../picture-machine.ts";
import { askWitness } from "../witness.ts";

/** `firstlight facts` */
export const command: Command = {
  usage: "facts [--root DIR | --witness] [--json]",
  summary: "Say what this machine is, as the kernel tells it.",
  help: "Draws the board and what sits on it; a ? in the margin marks what the kernel does not tell. --json says all of it.\n--witness asks systeminformation too, in a process of its own with a deadline.",
  options: { witness: { type: "boolean" } },
  arity: [0, 0],
  async run({ io, flags, json, out, signal }) {
    const asked = flags["witness"] === true;
    if (asked && io.files.root !== "/") {
      throw new Fault("cli/usage", "facts: --witness looks at this machine, and not at a --root");
    }
    const facts = readFacts(io);
    const witness = asked ? await askWitness(io, signal) : undefined;
    if (json) out.data(prettyJson(witness === undefined ? facts : { facts, witness }));
    else {
      const hasBattery = witness?.readings.battery?.present ?? null;
      out.data(drawMachine(facts, { page: out.page, hasBattery }).join("\n"));
      if (witness !== undefined) out.data(prettyJson(witness));
    }
    return 0;
  },
};
