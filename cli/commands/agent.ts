import { runDaemon } from "#agent/daemon.ts";
import type { LinkSettings } from "#agent/link/link-settings.ts";
import { loadLinkSettings } from "#agent/report-settings.ts";
import { cronSchedule } from "#agent/schedule.ts";
import { readSettings } from "#agent/settings.ts";
import { stateReaders } from "#agent/state-readers.ts";
import type { Command, Invocation } from "../command.ts";
import { version } from "../version.ts";
import { askWitness } from "../witness.ts";

/** How often to look whether a boot has named a broker. */
const lookMs = 15_000;

/** `firstlight agent` */
export const command: Command = {
  usage: "agent [--root DIR]",
  summary: "Stay: report to the fleet over MQTT, and tell what happens on this node.",
  help: "Waits where no broker is named yet. Ends on SIGTERM with a farewell.",
  arity: [0, 0],
  async run(invocation) {
    const { io, log, signal } = invocation;
    const settings = await waitForBroker(invocation);
    if (settings === undefined) return 0;
    const readers = stateReaders({
      io,
      version,
      healthIntervalMs: settings.healthIntervalMs,
      witness: () => askWitness(io, signal),
    });
    await runDaemon({ io, log, settings, readers, schedule: await cronSchedule(log), signal });
    return 0;
  },
};

/** A first boot may name the broker only later; `undefined` when the signal came before. */
async function waitForBroker({ io, log, signal }: Invocation): Promise<LinkSettings | undefined> {
  for (let told = false; !signal.aborted; told = true) {
    const settings = await loadLinkSettings(io, await readSettings(io.files));
    if (settings !== undefined) return settings;
    if (!told) log.info("agent.waiting", { for: "a broker to be named" });
    await io.clock.sleep(lookMs, signal).catch(() => {});
  }
  return undefined;
}
