import type { DatasourceContent } from "#agent/datasources/datasource.ts";
import {
  type DiscoverOptions,
  discover,
  type PinnedDatasource,
} from "#agent/datasources/discover.ts";
import { hostProbe, type Probe } from "#agent/health/probe.ts";
import { readPinnedInstance } from "#agent/pinned-instance.ts";
import { mayReplace } from "#agent/policy.ts";
import type { RenderTemplate } from "#agent/render-documents.ts";
import type { ResolveTools } from "#agent/resolve-spec.ts";
import { envelopeOpener } from "#agent/secrets/envelope-opener.ts";
import { readSettings } from "#agent/settings.ts";
import { Fault, isFault } from "#core/fault.ts";
import type { Files, Io } from "#core/io.ts";
import type { Settings } from "#generated/agent/settings.ts";
import { type SystemClient, systemClient } from "#provisioner/system/client.ts";
import { chooseDriver, type DriverName } from "#provisioner/system/driver-record.ts";
import type { SystemEvent } from "#provisioner/system/system.ts";
import type { RebootPolicy } from "#provisioner/system/trial-way.ts";
import { type Flags, type Invocation, textFlag } from "./command.ts";
import { readTools } from "./crawler.ts";

/** Flags of every command that works on the system. */
export const systemOptions = {
  driver: { type: "string" },
  "in-process": { type: "boolean" },
} as const;

/** Of commands that may fetch a system instead of building it. */
export const fetchOptions = { fetch: { type: "string" } } as const;
/** Flags of a person who asks for a change. */
export const personOptions = { ...systemOptions, reboot: { type: "string" } } as const;

/** Looks at the health of this machine; where it reports is asked anew for each look. */
export function nodeProbe({ io }: Invocation): Probe {
  return hostProbe(io, {
    witness: async (signal) => (await import("./witness.ts")).askWitness(io, signal),
    linkSettings: async () => {
      const { loadLinkSettings } = await import("#agent/report-settings.ts");
      return loadLinkSettings(io, await readSettings(io.files));
    },
  });
}

/**
 * The datasource of this machine, read; `offline` where there is no network yet. Throws `datasource/none`,
 * `datasource/disabled`.
 */
export async function findContent(
  { io, log }: Invocation,
  settings: Settings,
  { offline = false, broken }: FindContent = {},
): Promise<DatasourceContent> {
  const { datasources, networkSources: networkPlaces } = settings;
  const found = await discover(io, {
    ...{ datasources, networkPlaces, log, pinned: pinnedDatasource(io.files, settings) },
    ...(offline ? {} : { tools: readTools(io, settings) }),
    ...(broken === undefined ? {} : { broken }),
  });
  if (found.kind === "disabled")
    throw new Fault("datasource/disabled", `switched off by ${found.by}`);
  return found.content;
}

/**
 * What this node is pinned to, for the search; `undefined` as well where the pin cannot be read, which
 * whoever decides on a change says.
 */
export function pinnedDatasource(files: Files, settings: Settings): PinnedDatasource | undefined {
  try {
    const pinned = readPinnedInstance(files);
    const by = { settings, enrolled: isEnrolled(files, settings) };
    return pinned && { ...pinned, yieldsTo: (found) => mayReplace(found, by) };
  } catch (error) {
    if (isFault(error, "policy/pin-unreadable")) return undefined;
    throw error;
  }
}

/** Whether this node belongs to a fleet whose signatures it can check. */
export function isEnrolled(files: Files, settings: Settings): boolean {
  if (settings.fleet?.root !== undefined) return true;
  const places = ["trust/root.json", "trust/state.json", "trusted.json"];
  return places.some((place) => files.stat(`/var/lib/firstlight/${place}`) !== undefined);
}

interface FindContent extends Pick<DiscoverOptions, "broken"> {
  readonly offline?: boolean;
}

/** Reads documents without a network: what they name by address waits for the boot itself. */
export function offlineTools(io: Io): ResolveTools {
  const fetchSources = async () => new Map<string, Uint8Array>();
  return {
    ...{ fetchSources, openEnvelope: envelopeOpener(io), renderTemplate: lazyRenderer(io) },
    ...{ keptIncludes: lazyIncludes(io), clock: io.clock },
  };
}

/** What was included once, by what is loaded only where something is. */
export function lazyIncludes(io: Io): NonNullable<ResolveTools["keptIncludes"]> {
  return (instanceId) => {
    const load = async () => (await import("#agent/kept-includes.ts")).keptIncludes(io, instanceId);
    return {
      read: async (address) => (await load()).read(address),
      keep: async (address, bytes) => (await load()).keep(address, bytes),
    };
  };
}

/** Renders templates by what is loaded only where there is one. */
export function lazyRenderer(io: Io): RenderTemplate {
  return async (template, instance) =>
    (await import("./render-template.ts")).templateRenderer(io)(template, instance);
}

/** The system behind `--driver`, or behind the driver it was changed with before; see `sides.ts`. */
export async function openSystem(
  invocation: Invocation,
  { bearsSettings = false, onEvent }: OpenSystem = {},
): Promise<SystemClient> {
  const { io, log, flags, signal } = invocation;
  const driver = driverOf(invocation);
  const { openSides } = await import("./sides.ts");
  const system = await openSides({
    io,
    log,
    driver,
    inProcess: flags["in-process"] === true,
    reboot: wantedReboot(flags),
    bearsSettings,
  });
  const { progress } = await import("./progress.ts");
  const show = progress(invocation);
  const both = (event: SystemEvent) => {
    show(event);
    onEvent?.(event);
  };
  return systemClient(system, { onEvent: onEvent === undefined ? show : both, signal });
}

interface OpenSystem {
  readonly bearsSettings?: boolean;
  /** Told what is told to the person as well. */
  readonly onEvent?: (event: SystemEvent) => void;
}

/** What a person allows for this once. */
function wantedReboot(flags: Flags): RebootPolicy | undefined {
  const wanted = textFlag(flags, "reboot");
  if (wanted === undefined || wanted === "allow" || wanted === "kexec" || wanted === "skip") {
    return wanted;
  }
  throw new Fault(
    "cli/usage",
    `--reboot: expected allow, kexec or skip, got ${JSON.stringify(wanted)}`,
  );
}

/** The driver of this machine. Throws `cli/usage`, `system/other-driver`. */
export function driverOf({ io, flags }: Pick<Invocation, "io" | "flags">): DriverName {
  const wanted = textFlag(flags, "driver");
  if (wanted === undefined || wanted === "nix" || wanted === "dry") return chooseDriver(io, wanted);
  throw new Fault("cli/usage", `--driver: expected nix or dry, got ${JSON.stringify(wanted)}`);
}
