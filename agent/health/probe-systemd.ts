import type { ExecResult, Io } from "#core/io.ts";
import type { ProbeResult } from "./probe.ts";

const timeoutMs = 15_000;

/** Asks systemd; its deadline is part of every question. */
function ask(io: Io, file: string, args: readonly string[], signal: AbortSignal) {
  return io.exec({ file, args, timeoutMs, signal });
}

/** Whether a unit is active. */
export async function probeUnit(io: Io, unit: string, signal: AbortSignal): Promise<ProbeResult> {
  const result = await ask(io, "systemctl", ["is-active", "--", unit], signal);
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
  signal: AbortSignal,
): Promise<ProbeResult> {
  const result = await ask(io, "systemctl", ["is-system-running"], signal);
  const state = result.stdout.trim() || ended("systemctl", result);
  const good = degraded ? ["running", "degraded"] : ["running"];
  const say = (passed: boolean, found: string) => ({
    passed,
    message: `systemd: ${found}, expected ${good.join(" or ")}`,
  });
  if (state !== "starting") return say(good.includes(state), state);
  const [jobs, failed] = await Promise.all([runningJobs(io, signal), failedUnits(io, signal)]);
  if (jobs.length > 0) return say(false, `starting ${jobs.join(", ")}`);
  const units = degraded ? [] : failed;
  return say(units.length === 0, units.length === 0 ? "running" : `failed ${units.join(", ")}`);
}

/** Units that are being started or stopped, but for those of firstlight itself. */
async function runningJobs(io: Io, signal: AbortSignal): Promise<readonly string[]> {
  const result = await ask(
    io,
    "systemctl",
    ["list-jobs", "--plain", "--no-legend", "--no-pager", "--full"],
    signal,
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
export async function failedUnits(io: Io, signal?: AbortSignal): Promise<readonly string[]> {
  const result = await ask(
    io,
    "systemctl",
    ["list-units", "--state=failed", "--plain", "--no-legend", "--no-pager", "--full"],
    signal ?? new AbortController().signal,
  );
  if (result.code !== 0) throw new Error(`failed units: ${ended("systemctl list-units", result)}`);
  return result.stdout
    .split("\n")
    .map((line) => line.trim().split(/\s+/)[0] ?? "")
    .filter((unit) => unit !== "" && !ofChecks.test(unit));
}

/** Whether the clock is synchronised, as systemd knows it. */
export async function probeTime(io: Io, signal: AbortSignal): Promise<ProbeResult> {
  const args = ["show", "--property=NTPSynchronized", "--value"];
  const result = await ask(io, "timedatectl", args, signal);
  const passed = result.code === 0 && result.stdout.trim() === "yes";
  const found = result.code === 0 ? "the clock is not synchronised" : ended("timedatectl", result);
  return { passed, message: `time: ${passed ? "the clock is synchronised" : found}` };
}

/** How a program that should have ended with 0 ended. */
export function ended(program: string, { code, signal, timedOut }: ExecResult): string {
  return timedOut ? `${program} did not end in time` : `${program} ended with ${code ?? signal}`;
}
