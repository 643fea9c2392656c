import { Fault, isFault } from "#core/fault.ts";
import type { CommandLines } from "./command-lines.ts";
import type { Commands } from "./commands.ts";
import { chooseLoader, forgetChoice, onceLoader } from "./loaders/choose-loader.ts";
import type { LoaderPlace } from "./loaders/loader.ts";
import { nixFault } from "./nix-errors.ts";
import type { SystemPaths } from "./paths.ts";

/** What commands around a restart work with. */
export interface RebootCommandsOptions extends LoaderPlace {
  readonly paths: SystemPaths;
  readonly lines: CommandLines;
  /** Runs a program of the boot loader's, or of the kernel's. */
  readonly runOutside: LoaderPlace["run"];
}

/** The part of {@link Commands} that boots a system once. */
export function rebootCommands({
  paths,
  lines,
  run,
  runOutside,
  ...files
}: RebootCommandsOptions): Pick<
  Commands,
  | "chooseLoader"
  | "setTrialProfile"
  | "bootOnce"
  | "forgetOnce"
  | "forgetChoice"
  | "whyNotOnce"
  | "restart"
> {
  const place: LoaderPlace = { ...files, run: runOutside };
  return {
    async chooseLoader(wish) {
      const { name, needsEntry, restart } = (await chooseLoader(place, wish)).loader;
      return { name, needsEntry, restart };
    },
    async setTrialProfile(toplevel) {
      place.storeFiles.makeDirectory(paths.trialProfiles);
      const result = await run(lines.setTrialProfile(toplevel));
      if (result.code !== 0) throw nixFault(result, "setting the profile of the trial");
    },
    bootOnce: ({ loader, toplevel }) => onceLoader(loader).choose(place, toplevel),
    forgetOnce: ({ loader, entry }) => onceLoader(loader).forget(place, entry),
    forgetChoice: (toplevel) => forgetChoice(place, toplevel),
    async whyNotOnce(bootDefault) {
      try {
        await chooseLoader(place, { policy: "loader", bootDefault });
        return null;
      } catch (error) {
        if (!isFault(error, "system/reboot-impossible")) throw error;
        return error.message || null;
      }
    },
    async restart(how) {
      const { code, stderr } = await run(lines.restart(how));
      if (code === 0) return;
      const said = stderr.trim().split("\n").at(-1) || `exit code ${code}`;
      throw new Fault("system/restart-failed", `systemctl ${how}: ${said}`);
    },
  };
}
