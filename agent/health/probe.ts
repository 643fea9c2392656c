import type { Io } from "#core/io.ts";
import type { Check } from "#generated/provisioner/spec/v1.ts";
import type { Witness } from "../facts/witness.ts";
import type { LinkSettings } from "../link/link-settings.ts";
import type { LinkProbe } from "./probe-link.ts";

/** One look at one thing. */
export interface ProbeResult {
  readonly passed: boolean;
  /** For a person: `http http://127.0.0.1:8080/health: status 503, expected 2xx`. */
  readonly message: string;
}

/** Looks at one check once. Never throws: what cannot be looked at has not passed. */
export type Probe = (check: Check, signal: AbortSignal) => Promise<ProbeResult>;

/** Where the node reports; `undefined` where nobody has named a broker. */
type ReadLinkSettings = () => Promise<LinkSettings | undefined>;

/** What some probes ask beside the machine's files and programs. */
export interface ProbeSources {
  /** systeminformation, in a process of its own. */
  readonly witness: () => Promise<Witness>;
  readonly linkSettings: ReadLinkSettings;
}

/** The real probes, through `io` and, for http, tcp and link, the network stack of this machine. */
export function hostProbe(io: Io, sources: ProbeSources): Probe {
  const link = lazyLink(io, sources.linkSettings);
  return async (check, signal) => {
    try {
      return await probe({ io, sources, link }, check, signal);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { passed: false, message: `${check.type}: ${message}` };
    }
  };
}

/** MQTT is loaded with the first look at a link, whose probe remembers the version that the broker speaks. */
function lazyLink(io: Io, readSettings: ReadLinkSettings): Probing["link"] {
  let loading: Promise<LinkProbe> | undefined;
  return async (signal) => {
    const settings = await readSettings();
    if (settings === undefined) return { passed: false, message: "link: no broker is named" };
    loading ??= import("./probe-link.ts").then(({ linkProbe }) => linkProbe(io));
    return (await loading)(settings, signal);
  };
}

interface Probing {
  readonly io: Io;
  readonly sources: ProbeSources;
  readonly link: (signal: AbortSignal) => Promise<ProbeResult>;
}

async function probe(
  { io, sources, link }: Probing,
  check: Check,
  signal: AbortSignal,
): Promise<ProbeResult> {
  switch (check.type) {
    case "file":
      return {
        passed: io.files.stat(check.path) !== undefined,
        message: `file ${check.path}: must exist`,
      };
    case "unit":
      return (await import("./probe-systemd.ts")).probeUnit(io, check.unit, signal);
    case "systemd":
      return (await import("./probe-systemd.ts")).probeSystemd(io, check, signal);
    case "time":
      return (await import("./probe-systemd.ts")).probeTime(io, signal);
    case "command":
      return probeCommand(io, check, signal);
    case "tcp":
      return (await import("./probe-network.ts")).probeTcp(check, signal);
    case "http":
      return (await import("./probe-network.ts")).probeHttp(check, signal);
    case "dns":
      return (await import("./probe-network.ts")).probeDns(io, check, signal);
    case "route":
      return (await import("./probe-kernel.ts")).probeRoute(io, check);
    case "disk":
      return (await import("./probe-kernel.ts")).probeDisk(io, check);
    case "memory":
      return (await import("./probe-kernel.ts")).probeMemory(io, check);
    case "temperature":
      return probeTemperature(await sources.witness(), check.celsius);
    case "link":
      return link(signal);
  }
}

/** Of a command that is told to end. */
const graceMs = 5_000;

async function probeCommand(
  io: Io,
  check: Extract<Check, { type: "command" }>,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { durationMs } = await import("#core/duration.ts");
  const [file = "", ...args] = check.command;
  const timeoutMs = durationMs(check.timeout, 10_000);
  const result = await io.exec({ file, args, timeoutMs, graceMs, signal });
  const ended = result.timedOut
    ? `no end within ${timeoutMs} ms`
    : `ended with ${result.code ?? result.signal}`;
  return {
    passed: result.code === 0 && !result.timedOut,
    message: `command ${file}: ${ended}, expected 0`,
  };
}

function probeTemperature({ readings, failures }: Witness, most: number): ProbeResult {
  const celsius = readings.temperature?.celsius;
  if (celsius === undefined || celsius === null) {
    const why = failures.find(({ call }) => call === "temperature")?.message ?? "no sensor says it";
    return { passed: false, message: `temperature: ${why}` };
  }
  return {
    passed: celsius <= most,
    message: `temperature: ${celsius} °C, expected at most ${most} °C`,
  };
}
