import type { Command } from "../command.ts";
import { personOptions } from "../node.ts";
import { runBoot } from "./boot.ts";

/** `firstlight apply` */
export const command: Command = {
  usage: "apply [--root DIR] [--driver nix|dry] [--reboot allow|kexec|skip] [--report]",
  summary: "Do what the datasource asks for now, also where the policy held it for a person.",
  help: "A change that the policy takes only with a signature is still refused.\nWhere the change needs a reboot: allow and kexec restart the machine into it once, skip commits it without\nhaving booted it. Without the flag the settings decide.",
  options: { ...personOptions, report: { type: "boolean" } },
  arity: [0, 0],
  run: (invocation) => runBoot(invocation, { by: "apply", approved: true }),
};
