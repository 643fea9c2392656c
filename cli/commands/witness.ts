import { runWitnessChild } from "#agent/facts/witness-child.ts";
import { witnessTask } from "#agent/facts/witness-task.ts";
import type { Command } from "../command.ts";

/** `firstlight witness`, hidden: the child that asks systeminformation and may be killed. */
export const command: Command = {
  usage: "witness MS READING…",
  summary: "Ask systeminformation; started by firstlight itself.",
  arity: [1, 32],
  async run({ args, out }) {
    await runWitnessChild(witnessTask(args), (line) => out.data(line));
    return 0;
  },
};
