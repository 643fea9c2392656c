import { Fault } from "#core/fault.ts";
import { type Command, textFlag } from "../command.ts";
import { fetchOptions, personOptions } from "../node.ts";
import { reportHelp, runBoot } from "./boot.ts";

/** `firstlight apply` */
export const command: Command = {
  usage:
    "apply [--plan DIGEST] [--root DIR] [--driver nix|dry] [--fetch FILE] [--reboot allow|kexec|skip] [--report]",
  summary: "Do what the datasource asks for now, also where the policy held it for a person.",
  help: `A change that the policy takes only with a signature is still refused. With --plan it must be\nexactly what 'firstlight plan' showed under this digest: if anything differs, nothing is activated.\nWith --fetch the system is not built but fetched, as the signed manifest in FILE says.\nWhere the change needs a reboot: allow and kexec restart the machine into it once, skip commits it without\nhaving booted it. Without the flag the settings decide.\nExit code: as of boot, but where there is no datasource 75, and where firstlight is switched off 77.\n${reportHelp}`,
  options: {
    ...personOptions,
    ...fetchOptions,
    report: { type: "boolean" },
    plan: { type: "string" },
  },
  arity: [0, 0],
  async run(invocation) {
    const approvedPlan = textFlag(invocation.flags, "plan");
    if (approvedPlan !== undefined && !/^[0-9a-f]{64}$/.test(approvedPlan)) {
      throw new Fault(
        "cli/usage",
        `--plan: expected the digest of a plan, 64 characters, got ${JSON.stringify(approvedPlan)}`,
        { hint: "firstlight plan prints it in its first line" },
      );
    }
    return runBoot(invocation, { by: "apply", approved: true, approvedPlan });
  },
};
