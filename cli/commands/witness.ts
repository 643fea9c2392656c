import { runWitnessChild } from "#agent/facts/witness-child.ts";
import type { Command } from "../command.ts";

/** `firstlight witness`, hidden: the child that asks systeminformation and may be killed. */
export const command: Command = {
  usage: "witness",
  summary: "Ask systeminformation; started by firstlight itself.",
  arity: [0, 0],
  async run({ out }) {
    await runWitnessChild((line) => out.data(line));
    return 0;
  },
};
