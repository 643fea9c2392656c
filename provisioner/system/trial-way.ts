import type { Code } from "#core/codes.ts";
import { Fault } from "#core/fault.ts";
import type { OnceLoaderInfo } from "./commands.ts";
import type { Plan } from "./system.ts";
import type { Work } from "./work.ts";

/** What may be done where a change needs a reboot. */
export type RebootPolicy =
  /** Restart the machine into it: by the boot loader where that can boot it once, else by kexec. */
  | "allow"
  /** By kexec and nothing else. */
  | "kexec"
  /** Such a change is not tried. */
  | "refuse"
  /** It is tried in the running system and committed without having been booted. */
  | "skip";

/** How a system is tried. */
export type TrialWay =
  | { readonly by: "activation" }
  | { readonly by: "restart"; readonly loader: OnceLoaderInfo; readonly bootDefault: string };

/**
 * How a change is tried, decided from what the machine is. Throws `system/reboot-refused` where the
 * policy allows none, and `system/reboot-impossible` where the machine would not come back from it;
 * `system/switch-inhibited` in place of both where NixOS leaves no other way.
 */
export async function trialWay(work: Work, reboot: Plan["reboot"]): Promise<TrialWay> {
  const { needed, switchRefused = false } = reboot;
  const { reboot: policy } = work.settings;
  if (!needed || (policy === "skip" && !switchRefused)) return { by: "activation" };
  try {
    return await restartWay(work, reboot);
  } catch (error) {
    if (!switchRefused || !(error instanceof Fault) || !isNoWay(error)) throw error;
    throw new Fault("system/switch-inhibited", error.message, { cause: error });
  }
}

async function restartWay(
  { settings, machine, commands }: Work,
  { why }: Plan["reboot"],
): Promise<TrialWay> {
  const { reboot: policy } = settings;
  if (policy === "refuse" || policy === "skip") {
    const allowed = policy === "skip" ? "only changes without one" : "no reboot";
    throw new Fault(
      "system/reboot-refused",
      `the settings allow ${allowed}, and ${why.join("; ")}`,
    );
  }
  if (!settings.systemd) {
    throw new Fault(
      "system/reboot-impossible",
      `systemd does not manage this machine, so nobody restarts it, and ${why.join("; ")}`,
    );
  }
  const { toplevel: bootDefault } = machine.profile();
  if (bootDefault === null) {
    throw new Fault(
      "system/reboot-impossible",
      `there is no generation that the machine would come back to, and ${why.join("; ")}`,
    );
  }
  return {
    by: "restart",
    loader: await commands.chooseLoader({ policy, bootDefault }),
    bootDefault,
  };
}

/** As {@link trialWay}; where there is none, the sentence that says why. */
export async function plannedWay(work: Work, reboot: Plan["reboot"]): Promise<TrialWay | string> {
  try {
    return await trialWay(work, reboot);
  } catch (error) {
    if (!(error instanceof Fault) || !isNoWay(error)) throw error;
    return `this change cannot be tried here: ${error.message}`;
  }
}

function isNoWay({ code }: Fault): boolean {
  const known: readonly Code[] = [
    "system/reboot-refused",
    "system/reboot-impossible",
    "system/switch-inhibited",
  ];
  return known.includes(code);
}
