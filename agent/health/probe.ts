import { durationMs, longestTimerMs } from "#core/duration.ts";
import type { Io } from "#core/io.ts";
import type { Check } from "#generated/provisioner/spec/v1.ts";
import type { Witness } from "../facts/witness.ts";
import type { LinkSettings } from "../link/link-settings.ts";
import { nameOfCheck } from "./check-names.ts";
import type { LinkProbe } from "./probe-link.ts";

/** One look at one thing. */
export interface ProbeResult {
  readonly passed: boolean;
  /** For a person: `http http://127.0.0.1:8080/health: status 503, expected 2xx`. */
  readonly message: string;
}

/**
 * Looks at one check once, for no longer than `limitMs`, whatever the check itself allows. Never throws:
 * what cannot be looked at has not passed.
 */
export type Probe = (check: Check, signal: AbortSignal, limitMs?: number) => Promise<ProbeResult>;

/** What ends a look. */
export interface LookLimits {
  readonly signal: AbortSignal;
  readonly limitMs: number;
}

/** Where the node reports; `undefined` where nobody has named a broker. */
type ReadLinkSettings = () => Promise<LinkSettings | undefined>;

/** What some probes ask beside the machine's files and programs. */
export interface ProbeSources {
  /** systeminformation, in a process of its own. */
  readonly witness: (signal: AbortSignal) => Promise<Witness>;
  readonly linkSettings: ReadLinkSettings;
}

/** The real probes, through `io` and, for http, tcp and link, the network stack of this machine. */
export function hostProbe(io: Io, sources: ProbeSources): Probe {
  const link = lazyLink(io, sources.linkSettings);
  return async (check, signal, limitMs = longestTimerMs) => {
    const limits = { signal, limitMs: Math.min(limitMs, longestTimerMs) };
    try {
      return await probe({ io, sources, link }, check, limits);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { passed: false, message: `${check.type}: ${message}` };
    }
  };
}

const noBroker =
  "link: no broker is named; where that is meant, health.keep and health.checks leave out link";

/** MQTT is loaded with the first look at a link, whose probe remembers the version that the broker speaks. */
function lazyLink(io: Io, readSettings: ReadLinkSettings): Probing["link"] {
  let loading: Promise<LinkProbe> | undefined;
  return async (signal) => {
    const settings = await readSettings();
    if (settings === undefined) return { passed: false, message: noBroker };
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
  limits: LookLimits,
): Promise<ProbeResult> {
  switch (check.type) {
    case "file":
      return {
        passed: io.files.stat(check.path) !== undefined,
        message: `${nameOfCheck(check)}: must exist`,
      };
    case "unit":
      return (await import("./probe-systemd.ts")).probeUnit(io, check.unit, limits);
    case "systemd":
      return (await import("./probe-systemd.ts")).probeSystemd(io, check, limits);
    case "time":
      return (await import("./probe-systemd.ts")).probeTime(io, limits);
    case "command":
      return probeCommand(io, check, limits);
    case "tcp":
      return (await import("./probe-network.ts")).probeTcp(check, limits);
    case "http":
      return (await import("./probe-network.ts")).probeHttp(check, limits);
    case "dns":
      return (await import("./probe-network.ts")).probeDns(io, check, limits);
    case "route":
      return (await import("./probe-kernel.ts")).probeRoute(io, check);
    case "disk":
      return (await import("./probe-kernel.ts")).probeDisk(io, check);
    case "memory":
      return (await import("./probe-kernel.ts")).probeMemory(io, check);
    case "temperature":
      return probeTemperature(await inTime(sources.witness, limits), check.celsius);
    case "link":
      return inTime(link, limits);
  }
}

/** Work without a deadline of its own. Throws where it does not end in time. */
async function inTime<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { signal, limitMs }: LookLimits,
): Promise<T> {
  const late = new AbortController();
  const { promise: limit, reject } = Promise.withResolvers<never>();
  late.signal.addEventListener("abort", () => reject(late.signal.reason));
  const abort = () => late.abort(new Error(`no answer within ${limitMs} ms`));
  const timer = setTimeout(abort, limitMs);
  try {
    return await Promise.race([work(AbortSignal.any([signal, late.signal])), limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** So long a program that is asked to end may take, where the whole has as much left. */
const mostGraceMs = 5_000;

async function probeCommand(
  io: Io,
  check: Extract<Check, { type: "command" }>,
  { signal, limitMs }: LookLimits,
): Promise<ProbeResult> {
  const [file = "", ...args] = check.command;
  const timeoutMs = Math.min(durationMs(check.timeout, 10_000), limitMs);
  const graceMs = Math.min(mostGraceMs, limitMs - timeoutMs);
  const result = await io.exec({ file, args, timeoutMs, graceMs, signal });
  const ended = result.timedOut
    ? `no end within ${timeoutMs} ms`
    : `ended with ${result.code ?? result.signal}`;
  return {
    passed: result.code === 0 && !result.timedOut,
    message: `${nameOfCheck(check)}: ${ended}, expected 0`,
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
