import { Fault } from "#core/fault.ts";
import type { Command } from "../command.ts";
import { simulateFleet, simulateOptions } from "../fleet-simulate.ts";

/** `firstlight fleet` */
export const command: Command = {
  usage: "fleet simulate FILE [--nodes N] [--seed N] [--json]",
  summary: "The operator's side of a fleet.",
  help: "simulate plays a rollout on a made-up fleet, with the reconciler that plays it on a real one, and shows what comes of\nit: waves, hardware models, the course over time and what happened when. FILE is a scenario (docs/rollout-scenario.md).\nThe same seed plays the same. Exit code 2 when the rollout does not succeed.",
  options: simulateOptions,
  arity: [1, 34],
  async run(invocation) {
    const [verb, ...args] = invocation.args;
    if (verb !== "simulate")
      throw new Fault("cli/usage", `fleet: expected simulate, got ${JSON.stringify(verb)}`);
    return simulateFleet({ ...invocation, args });
  },
};
