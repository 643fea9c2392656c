import type { Command } from "../command.ts";
import { fetchOptions, personOptions } from "../node.ts";
import { runBoot } from "./boot.ts";

/** `firstlight apply` */
export const command: Command = {
  usage:
    "apply [--root DIR] [--driver nix|dry] [--fetch FILE] [--reboot allow|kexec|skip] [--report]",
  summary: "Do what the datasource asks for now, also where the policy held it for a person.",
  help: "A change that the policy takes only with a signature is still refused. With --fetch the system is not built but fetched, as the signed manifest in FILE says.\nWhere the change needs a reboot: allow and kexec restart the machine into it once, skip commits it without\nhaving booted it. Without the flag the settings decide.",
  options: { ...personOptions, ...fetchOptions, report: { type: "boolean" } },
  arity: [0, 0],
  run: (invocation) => runBoot(invocation, { by: "apply", approved: true }),
};
