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
 * policy allows none, and `system/reboot-impossible` where the machine would not come back from it.
 */
export async function trialWay(
  { settings, machine, commands }: Work,
  { needed, why }: Plan["reboot"],
): Promise<TrialWay> {
  const { reboot: policy } = settings;
  if (!needed || policy === "skip") return { by: "activation" };
  if (policy === "refuse") {
    throw new Fault("system/reboot-refused", `the settings allow no reboot, and ${why.join("; ")}`);
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
    const known: readonly unknown[] = ["system/reboot-refused", "system/reboot-impossible"];
    if (error instanceof Fault && known.includes(error.code)) {
      return `this change cannot be tried here: ${error.message}`;
    }
    throw error;
  }
}
