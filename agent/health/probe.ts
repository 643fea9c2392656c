import type { Io } from "#core/io.ts";
import type { Check } from "#generated/provisioner/spec/v1.ts";

/** One look at one thing. */
export interface ProbeResult {
  readonly passed: boolean;
  /** For a person: `http http://127.0.0.1:8080/health: status 503, expected 2xx`. */
  readonly message: string;
}

/** Looks at one check once. Never throws: what cannot be looked at has not passed. */
export type Probe = (check: Check, signal: AbortSignal) => Promise<ProbeResult>;

/** The real probes, through `io` and, for http and tcp, the network stack of this machine. */
export function hostProbe(io: Io): Probe {
  return async (check, signal) => {
    try {
      return await probe(io, check, signal);
    } catch (error) {
      return {
        passed: false,
        message: `${check.type}: ${error instanceof Error ? error.message : String(error)}`,
      };
    }
  };
}

async function probe(io: Io, check: Check, signal: AbortSignal): Promise<ProbeResult> {
  switch (check.type) {
    case "file":
      return {
        passed: io.files.stat(check.path) !== undefined,
        message: `file ${check.path}: must exist`,
      };
    case "unit":
      return probeUnit(io, check.unit, signal);
    case "command":
      return probeCommand(io, check, signal);
    case "tcp":
      return (await import("./probe-network.ts")).probeTcp(check, signal);
    case "http":
      return (await import("./probe-network.ts")).probeHttp(check, signal);
  }
}

async function probeUnit(io: Io, unit: string, signal: AbortSignal): Promise<ProbeResult> {
  const result = await io.exec({
    file: "systemctl",
    args: ["is-active", "--", unit],
    timeoutMs: 10_000,
    signal,
  });
  const state = result.stdout.trim() || `systemctl ended with ${result.code ?? result.signal}`;
  return { passed: result.code === 0, message: `unit ${unit}: ${state}, expected active` };
}

async function probeCommand(
  io: Io,
  check: Extract<Check, { type: "command" }>,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { durationMs } = await import("#core/duration.ts");
  const [file = "", ...args] = check.command;
  const timeoutMs = durationMs(check.timeout, 10_000);
  const result = await io.exec({ file, args, timeoutMs, signal });
  const ended = result.timedOut
    ? `no end within ${timeoutMs} ms`
    : `ended with ${result.code ?? result.signal}`;
  return {
    passed: result.code === 0 && !result.timedOut,
    message: `command ${file}: ${ended}, expected 0`,
  };
}
