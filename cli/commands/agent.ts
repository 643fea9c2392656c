import { runDaemon } from "#agent/daemon.ts";
import { driftSettings } from "#agent/drift-settings.ts";
import { watchDrift } from "#agent/drift-watch.ts";
import type { LinkSettings } from "#agent/link/link-settings.ts";
import { notifySystemd, watchdogIntervalMs } from "#agent/link/systemd-notify.ts";
import { exitCodes } from "#agent/outcome.ts";
import { linkSettingsVersion, loadLinkSettings } from "#agent/report-settings.ts";
import { cronSchedule, type Schedule } from "#agent/schedule.ts";
import { readSettings } from "#agent/settings.ts";
import { stateReaders } from "#agent/state-readers.ts";
import { isFault } from "#core/fault.ts";
import { askStatus } from "../ask-status.ts";
import type { Command, Invocation } from "../command.ts";
import { submitter } from "../submit.ts";
import { version as programVersion } from "../version.ts";
import { askWitness } from "../witness.ts";

/** How often to look whether a boot has named a broker, or another one. */
const lookMs = 15_000;

/** `firstlight agent` */
export const command: Command = {
  usage: "agent [--root DIR]",
  summary: "Stay: report to the fleet over MQTT, and tell what happens on this node.",
  help: "Waits where no broker is named yet. Ends with a farewell on SIGTERM, and when the system that runs reports elsewhere: systemd starts it again.",
  arity: [0, 0],
  async run(invocation) {
    const schedule = await cronSchedule(invocation.log);
    const stopDrift = await openDriftWatch(invocation, schedule);
    try {
      const stopEnrolment = await openEnrolWatch(invocation, schedule);
      try {
        return await stay(invocation, schedule);
      } finally {
        await stopEnrolment();
      }
    } finally {
      stopDrift();
    }
  },
};

async function stay(invocation: Invocation, schedule: Schedule): Promise<number> {
  const { io, log } = invocation;
  const named = await waitForBroker(invocation);
  if (named === undefined) return exitCodes.done;
  const { settings, rootFile, version } = named;
  const changed = new AbortController();
  const isCurrent = () => {
    if (changed.signal.aborted) return false;
    if (linkSettingsVersion(io.files) === version) return true;
    log.info("agent.settings-changed");
    changed.abort();
    return false;
  };
  const look = { name: "settings", intervalMs: lookMs };
  const stop = schedule.every(look, async () => void isCurrent());
  const signal = AbortSignal.any([invocation.signal, changed.signal]);
  try {
    const { healthIntervalMs } = settings;
    const witness = () => askWitness(io, signal);
    const readers = stateReaders({
      ...{ io, version: programVersion, healthIntervalMs, witness },
      ...(rootFile === undefined ? {} : { rootFile }),
      askStatus: () => askStatus(io, log),
    });
    const submit = submitter(io);
    await runDaemon({ io, log, settings, readers, schedule, submit, isCurrent, signal });
  } finally {
    stop();
  }
  return exitCodes.done;
}

/**
 * Looks for drift where this process may: an unprivileged one leaves it to the timer of the root
 * side, which may start processes and read the journal. What it takes is loaded with the first look.
 */
async function openDriftWatch(invocation: Invocation, schedule: Schedule): Promise<() => void> {
  const { io, log } = invocation;
  if (io.files.root === "/" && process.geteuid?.() !== 0) return () => {};
  const settings = await readSettings(io.files);
  return watchDrift({
    log,
    schedule,
    settings: driftSettings(settings),
    round: async (options) => (await import("../drift-look.ts")).lookForDrift(invocation, options),
  });
}

/**
 * Enrols the node, and renews its certificate, where this process may and the settings name a server; an
 * unprivileged one leaves it to firstlight-enroll.service.
 */
async function openEnrolWatch(
  invocation: Invocation,
  schedule: Schedule,
): Promise<() => void | Promise<void>> {
  const { io } = invocation;
  if (io.files.root === "/" && process.geteuid?.() !== 0) return () => {};
  const settings = await readSettings(io.files);
  if (settings.fleet?.enroll === undefined) return () => {};
  const { watchEnrolment } = await import("../watch-enrolment.ts");
  return watchEnrolment(invocation, { settings, schedule });
}

/** What a link needs, and the version of the settings that it is from. */
interface Named {
  readonly settings: LinkSettings;
  /** The fleet's root metadata, where the settings name it. */
  readonly rootFile: string | undefined;
  readonly version: string;
}

/** A first boot may name the broker only later; `undefined` when the signal came before. */
async function waitForBroker(invocation: Invocation): Promise<Named | undefined> {
  const { io, log, signal } = invocation;
  const waitMs = Math.min(lookMs, watchdogIntervalMs(io) ?? lookMs);
  let toldOf: string | undefined;
  for (; !signal.aborted; ) {
    const version = linkSettingsVersion(io.files);
    const tells = version !== toldOf; // once of each version: it is looked at again and again
    const usable = await usableSettings(invocation, tells);
    if (usable !== undefined) return { ...usable, version };
    if (tells) log.info("agent.waiting", { for: "a broker to be named" });
    toldOf = version;
    // Ready to be told of one: the boot that names it waits until the machine has started.
    await notifySystemd(io, log, "READY=1", "WATCHDOG=1");
    await io.clock.sleep(waitMs, signal).catch(() => {});
  }
  return undefined;
}

/**
 * The settings, once they can be used: until the first generation the unit is not handed the
 * broker's password, and the boot itself tells how it went.
 */
async function usableSettings(
  { io, log }: Invocation,
  tells: boolean,
): Promise<Omit<Named, "version"> | undefined> {
  try {
    const all = await readSettings(io.files);
    const settings = await loadLinkSettings(io, all);
    return settings && { settings, rootFile: all.fleet?.root };
  } catch (error) {
    if (!isFault(error, "link/settings-invalid") && !isFault(error, "io/read-failed")) throw error;
    if (tells) log.warning("agent.settings-unusable", { message: error.message });
    return undefined;
  }
}
