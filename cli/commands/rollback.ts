import { Fault } from "#core/fault.ts";
import type { Command } from "../command.ts";
import { openSystem, personOptions } from "../node.ts";
import { rollBack } from "../roll-back.ts";

/** `firstlight rollback` */
export const command: Command = {
  usage: "rollback [GENERATION] [--root DIR] [--driver nix|dry] [--reboot allow|kexec|skip]",
  summary: "Go back to an earlier generation, through the same trial as any change.",
  help: "Without a number: to the previous good generation, which `firstlight history` marks. A generation that is not\nhealthy now is left again, and the system that ran before comes back. What no rollback undoes: docs/rollback.md.\nExit code: 0 it runs and is the boot default, 2 the same but something was not done, 3 taken back,\n75 the machine is being restarted or another time is better, 77 held or refused by policy.",
  options: personOptions,
  arity: [0, 1],
  async run(invocation) {
    const [wanted] = invocation.args;
    const generation = wanted === undefined ? null : Number(wanted);
    if (generation !== null && (!Number.isInteger(generation) || generation < 1)) {
      throw new Fault(
        "cli/usage",
        `rollback: expected the number of a generation, got ${JSON.stringify(wanted)}`,
        { hint: "firstlight history lists them" },
      );
    }
    const system = await openSystem(invocation);
    return rollBack(invocation, { system, generation });
  },
};
