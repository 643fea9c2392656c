import type { ExecResult, Io } from "#core/io.ts";
import type { LookLimits, ProbeResult } from "./probe.ts";

const mostMs = 15_000;

/** Asks systemd; its deadline is part of every question. */
function ask(
  io: Io,
  file: string,
  args: readonly string[],
  { signal, limitMs }: LookLimits,
): Promise<ExecResult> {
  return io.exec({ file, args, timeoutMs: Math.min(mostMs, limitMs), signal });
}

/** Whether a unit is active. */
export async function probeUnit(io: Io, unit: string, limits: LookLimits): Promise<ProbeResult> {
  const result = await ask(io, "systemctl", ["is-active", "--", unit], limits);
  const state = result.stdout.trim() || ended("systemctl", result);
  return { passed: result.code === 0, message: `unit ${unit}: ${state}, expected active` };
}

/**
 * Whether systemd is through with starting. While the boot that judges is itself one of systemd's
 * jobs, systemd says `starting`: then no other job may be under way.
 */
export async function probeSystemd(
  io: Io,
  { degraded = false }: { readonly degraded?: boolean },
  { signal, limitMs }: LookLimits,
): Promise<ProbeResult> {
  const started = io.clock.monotonicMs();
  const result = await ask(io, "systemctl", ["is-system-running"], { signal, limitMs });
  const state = result.stdout.trim() || ended("systemctl", result);
  const good = degraded ? ["running", "degraded"] : ["running"];
  const say = (passed: boolean, found: string) => ({
    passed,
    message: `systemd: ${found}, expected ${good.join(" or ")}`,
  });
  if (state !== "starting") return say(good.includes(state), state);
  const leftMs = Math.max(1, Math.ceil(limitMs - (io.clock.monotonicMs() - started)));
  const left = { signal, limitMs: leftMs };
  const [jobs, failed] = await Promise.all([runningJobs(io, left), failedUnits(io, left)]);
  if (jobs.length > 0) return say(false, `starting ${jobs.join(", ")}`);
  const units = degraded ? [] : failed;
  return say(units.length === 0, units.length === 0 ? "running" : `failed ${units.join(", ")}`);
}

/** Units that are being started or stopped, but for those of firstlight itself. */
async function runningJobs(io: Io, limits: LookLimits): Promise<readonly string[]> {
  const result = await ask(
    io,
    "systemctl",
    ["list-jobs", "--plain", "--no-legend", "--no-pager", "--full"],
    limits,
  );
  if (result.code !== 0) return [`jobs that cannot be listed: ${ended("systemctl", result)}`];
  return result.stdout.split("\n").flatMap((line) => {
    const [, unit = "", , state] = line.trim().split(/\s+/);
    return state === "running" && !unit.startsWith("firstlight-") ? [unit] : [];
  });
}

/** What a check of kind `command` is run in, where we are in a sandbox (`cli/sandbox.ts`). */
const ofChecks = /^firstlight-run-/;

/** Names of the units that have failed. Throws where systemd does not answer. */
export async function failedUnits(io: Io, limits: LookLimits): Promise<readonly string[]> {
  const result = await ask(
    io,
    "systemctl",
    ["list-units", "--state=failed", "--plain", "--no-legend", "--no-pager", "--full"],
    limits,
  );
  if (result.code !== 0) throw new Error(`failed units: ${ended("systemctl list-units", result)}`);
  return result.stdout
    .split("\n")
    .map((line) => line.trim().split(/\s+/)[0] ?? "")
    .filter((unit) => unit !== "" && !ofChecks.test(unit));
}

/** What systemd says of a service that runs, or is on its way there or back. */
export interface ServiceState {
  readonly unit: string;
  /** How often systemd started it again by itself; from nothing when anybody else starts it. */
  readonly restarts: number;
  /** Whether it waits to be started again. */
  readonly waits: boolean;
  /** How it ended (`success`, `exit-code`, …); `success` again as soon as it is started. */
  readonly result: string;
  /** When it is started again: `always`, `on-failure`, … */
  readonly policy: string;
  /** When its last run began, since the machine was started; `null` where it never did. */
  readonly startedMs: number | null;
}

const serviceProperties = [
  "Id",
  "NRestarts",
  "SubState",
  "Result",
  "Restart",
  "ExecMainStartTimestampMonotonic",
];

/**
 * Every service that runs or is about to, by one question. Empty where systemd does not count
 * restarts (before version 235); throws where it does not answer.
 */
export async function readServices(io: Io, limits: LookLimits): Promise<readonly ServiceState[]> {
  const result = await ask(
    io,
    "systemctl",
    [
      "show",
      "--state=running,activating,deactivating,reloading",
      `--property=${serviceProperties.join(",")}`,
      "*.service",
    ],
    limits,
  );
  if (result.code !== 0) throw new Error(`restarted units: ${ended("systemctl show", result)}`);
  return parseServices(result.stdout);
}

/** Reads `systemctl show`: one `NAME=value` a line, an empty line between units; times in µs. */
export function parseServices(output: string): readonly ServiceState[] {
  return output.split("\n\n").flatMap((block): readonly ServiceState[] => {
    const value = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(block)?.[1] ?? "";
    const [unit, counter] = [value("Id"), value("NRestarts")];
    if (unit === "" || !/^[0-9]{1,10}$/.test(counter)) return [];
    const startedUs = Number(value("ExecMainStartTimestampMonotonic"));
    return [
      {
        unit,
        restarts: Number(counter),
        waits: value("SubState").startsWith("auto-restart"),
        result: value("Result"),
        policy: value("Restart"),
        startedMs: startedUs > 0 ? startedUs / 1000 : null,
      },
    ];
  });
}

/** Whether the clock is synchronised, as systemd knows it. */
export async function probeTime(io: Io, limits: LookLimits): Promise<ProbeResult> {
  const args = ["show", "--property=NTPSynchronized", "--value"];
  const result = await ask(io, "timedatectl", args, limits);
  const passed = result.code === 0 && result.stdout.trim() === "yes";
  const found = result.code === 0 ? "the clock is not synchronised" : ended("timedatectl", result);
  return { passed, message: `time: ${passed ? "the clock is synchronised" : found}` };
}

/** How a program that should have ended with 0 ended. */
export function ended(program: string, { code, signal, timedOut }: ExecResult): string {
  return timedOut ? `${program} did not end in time` : `${program} ended with ${code ?? signal}`;
}
