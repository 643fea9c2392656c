import type { DatasourceContent } from "#agent/datasources/datasource.ts";
import { discover } from "#agent/datasources/discover.ts";
import { hostProbe, type Probe } from "#agent/health/probe.ts";
import { readSettings } from "#agent/settings.ts";
import { durationMs } from "#core/duration.ts";
import { Fault } from "#core/fault.ts";
import type { Settings } from "#generated/agent/settings.ts";
import { type SystemClient, systemClient } from "#provisioner/system/client.ts";
import { chooseDriver, type DriverName } from "#provisioner/system/driver-record.ts";
import type { SystemEvent } from "#provisioner/system/system.ts";
import { type Flags, type Invocation, textFlag } from "./command.ts";

/** Flags of every command that works on the system. */
export const systemOptions = { driver: { type: "string" } } as const;

/** Looks at the health of this machine. */
export function nodeProbe({ io, signal }: Invocation, settings: Settings): Probe {
  return hostProbe(io, {
    witness: async () => (await import("./witness.ts")).askWitness(io, signal),
    linkSettings: async () =>
      (await import("#agent/report-settings.ts")).loadLinkSettings(io, settings),
  });
}

/** The datasource of this machine, read. Throws `datasource/none`, `datasource/disabled`. */
export async function findContent(
  { io, log }: Invocation,
  datasources: readonly string[] | undefined,
): Promise<DatasourceContent> {
  const found = await discover(io, { datasources, log });
  if (found.kind === "disabled")
    throw new Fault("datasource/disabled", `switched off by ${found.by}`);
  return found.content;
}

/** The system behind `--driver`, or behind the driver it was changed with before. */
export async function openSystem(invocation: Invocation): Promise<SystemClient> {
  const { io, flags, signal } = invocation;
  const driver = chooseDriver(io, wantedDriver(flags));
  const settings = await readSettings(io.files);
  const { openDriver } = await import("#provisioner/system/driver.ts");
  const system = openDriver(io, {
    driver,
    substituters: settings.build?.substituters ?? [],
    buildTimeoutMs: durationMs(settings.build?.timeout, 7_200_000),
    activationTimeoutMs: durationMs(settings.trial?.activationTimeout, 600_000),
  });
  return systemClient(system, { onEvent: (event) => tellEvent(invocation, event), signal });
}

function wantedDriver(flags: Flags): DriverName | undefined {
  const wanted = textFlag(flags, "driver");
  if (wanted === undefined || wanted === "nix" || wanted === "dry") return wanted;
  throw new Fault("cli/usage", `--driver: expected nix or dry, got ${JSON.stringify(wanted)}`);
}

function tellEvent({ out, log, flags }: Invocation, event: SystemEvent): void {
  switch (event.type) {
    case "command":
      if (!event.run) out.talk(`would run: ${event.argv.map(word).join(" ")}`);
      else if (flags["verbose"] === true) out.talk(`runs: ${event.argv.map(word).join(" ")}`);
      break;
    case "build-log":
      if (flags["verbose"] === true) out.talk(event.line);
      break;
    case "step":
      log.debug(`system.${event.step}.${event.state}`, { ms: event.ms });
  }
}

function word(text: string): string {
  return /^[A-Za-z0-9_./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
