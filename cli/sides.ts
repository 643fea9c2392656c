import { buildPolicy } from "#agent/build-policy.ts";
import { fetchSettings } from "#agent/fetch-settings.ts";
import { shredCredentials } from "#agent/secrets/credential-store.ts";
import { readSettings } from "#agent/settings.ts";
import { durationMs } from "#core/duration.ts";
import { isFault } from "#core/fault.ts";
import { hostClock } from "#core/host-io.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { Settings } from "#generated/agent/settings.ts";
import { type Driver, type DriverOptions, openDriver } from "#provisioner/system/driver.ts";
import type { DriverName } from "#provisioner/system/driver-record.ts";
import { isClean } from "#provisioner/system/nothing-open.ts";
import { systemPaths } from "#provisioner/system/paths.ts";
import type { ReleaseLimits } from "#provisioner/system/releases.ts";
import { operatorSocket } from "#provisioner/system/sides/places.ts";
import type { System } from "#provisioner/system/system.ts";
import type { RebootPolicy } from "#provisioner/system/trial-way.ts";
import { downloadCourier } from "./courier.ts";

/** How to open the system of a machine. */
export interface SidesOptions {
  readonly io: Io;
  readonly log: Log;
  readonly driver: DriverName;
  /** Whether to do without the root side's process. */
  readonly inProcess: boolean;
  /** Whether settings that do not fit are told, and done without: who only looks, or leaves what they are of. */
  readonly bearsSettings?: boolean;
  /** Instead of what the settings say of restarts; the root side knows only those. */
  readonly reboot?: RebootPolicy | undefined;
}

/** A system in this process, as the settings of the machine want it. */
export async function openInProcess({
  io,
  log,
  driver,
  reboot,
  bearsSettings = false,
}: Omit<SidesOptions, "inProcess">): Promise<Driver> {
  const settings = await readSettings(io.files).catch((error): Settings => {
    if (!bearsSettings || !isFault(error, "settings/invalid")) throw error;
    log.warning("settings.invalid", { message: error.message });
    return {};
  });
  const options: DriverOptions = {
    driver,
    substituters: settings.build?.substituters ?? [],
    buildTimeoutMs: durationMs(settings.build?.timeout, 7_200_000),
    activationTimeoutMs: durationMs(settings.trial?.activationTimeout, 600_000),
    reboot: reboot ?? settings.trial?.reboot ?? "allow",
    limits: releaseLimits(settings),
    fetch: fetchSettings(settings),
    policy: buildPolicy(settings),
    courier: downloadCourier(io, settings),
    shred: (keep) => shredCredentials(io, keep),
  };
  return openDriver(io, options);
}

/**
 * The system of a machine: behind the root side's socket where there is one, else in this process.
 * A socket that nobody answers at counts as none, and is told.
 */
export async function openSides(options: SidesOptions): Promise<System> {
  const { io, log } = options;
  const here = await openInProcess(options);
  if (options.inProcess || options.reboot !== undefined || !hasRootSide(io)) return here;
  const { systemOverSocket } = await import("#provisioner/system/sides/connect.ts");
  const { withRootSide } = await import("#provisioner/system/sides/with-root-side.ts");
  const path = io.files.hostPath(operatorSocket);
  const there = systemOverSocket({ path, clock: hostClock });
  return withRootSide({
    here,
    there,
    isClean: () => isClean({ io, storeFiles: io.files, paths: systemPaths(io.env) }),
    onUnreachable: ({ code, message }) => log.warning("system.in-process", { code, message }),
  });
}

/** How often and how long a release is held back; what the settings do not say has its default. */
function releaseLimits({ trial }: Settings): Partial<ReleaseLimits> {
  const { denyFor, tries, triesWithin } = trial ?? {};
  return {
    ...(denyFor === undefined ? {} : { denyMs: durationMs(denyFor, 0) }),
    ...(tries === undefined ? {} : { tries }),
    ...(triesWithin === undefined ? {} : { withinMs: durationMs(triesWithin, 0) }),
  };
}

/** Whether a socket is there that this user may use. */
function hasRootSide({ files }: Io): boolean {
  const isThere = files.stat(operatorSocket)?.kind === "other";
  return isThere && (files.root !== "/" || process.geteuid?.() === 0);
}
