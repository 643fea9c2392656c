import { durationMs } from "#core/duration.ts";
import type { Io } from "#core/io.ts";
import type { Check, Health } from "#generated/provisioner/spec/v1.ts";
import type { Trial, Verdict } from "#provisioner/system/system.ts";
import type { Probe } from "./probe.ts";

/** What was true before the trial, so that the trial is not blamed for it. */
export interface Baseline {
  /** Names of systemd units that had failed already; `null` where there is no systemd. */
  readonly failedUnits: readonly string[] | null;
}

/** Limits of a judgement when the spec says nothing. */
const healthDefaults = {
  passes: 3,
  intervalMs: 5_000,
  timeoutMs: 120_000,
  failedUnits: "new",
} as const;

/** How long a trial is watched at most, in milliseconds. */
export function watchMs(health: Health | undefined): number {
  return durationMs(health?.timeout, healthDefaults.timeoutMs);
}

/** What the judge may use. */
export interface JudgeOptions {
  readonly io: Io;
  readonly probe: Probe;
  readonly baseline: Baseline;
  readonly signal?: AbortSignal;
}

/**
 * Watches a trial until every check has passed some times in a row, or the time is over. Each
 * result is bound to this trial: the boot id must stay what it was.
 */
export async function judge(
  health: Health | undefined,
  trial: Trial,
  options: JudgeOptions,
): Promise<Verdict> {
  const { io } = options;
  const started = io.clock.monotonicMs();
  const verdict = (healthy: boolean, passes: number, reasons: readonly string[]): Verdict => ({
    healthy,
    passes,
    reasons,
    ms: Math.round(io.clock.monotonicMs() - started),
  });
  if (trial.activation === "refused")
    return verdict(false, 0, [trial.message ?? "the activation was refused"]);

  const wanted = health?.passes ?? healthDefaults.passes;
  const intervalMs = durationMs(health?.interval, healthDefaults.intervalMs);
  const timeoutMs = watchMs(health);
  const signal = options.signal ?? new AbortController().signal;
  let passes = 0;
  for (;;) {
    const leftMs = Math.max(1, Math.ceil(timeoutMs - (io.clock.monotonicMs() - started)));
    const failures = await round(health, { ...options, signal, leftMs });
    passes = failures.length === 0 ? passes + 1 : 0;
    if (passes >= wanted)
      return verdict(true, passes, [`${passes} rounds of checks passed in a row`]);
    const elapsedMs = io.clock.monotonicMs() - started;
    if (elapsedMs + intervalMs > timeoutMs) {
      const reasons =
        failures.length > 0
          ? failures
          : [`only ${passes} of ${wanted} rounds passed within ${timeoutMs} ms`];
      return verdict(false, passes, reasons);
    }
    await io.clock.sleep(intervalMs, signal);
  }
}

/** What holds before anything is tried. */
export async function readBaseline(io: Io, signal?: AbortSignal): Promise<Baseline> {
  return { failedUnits: await failedUnits(io, signal) };
}

interface Round extends JudgeOptions {
  readonly signal: AbortSignal;
  /** Of the time for the whole judgement. */
  readonly leftMs: number;
}

async function round(
  health: Health | undefined,
  { io, probe, baseline, signal, leftMs }: Round,
): Promise<readonly string[]> {
  const checks: readonly Check[] = health?.checks ?? [];
  const results = await Promise.all(checks.map((check) => probe(within(check, leftMs), signal)));
  const failures = results.filter((result) => !result.passed).map((result) => result.message);
  const mode = health?.failedUnits ?? healthDefaults.failedUnits;
  if (mode === "ignore") return failures;
  const before = mode === "new" ? (baseline.failedUnits ?? []) : [];
  const failed = (await failedUnits(io, signal)) ?? [];
  return [
    ...failures,
    ...failed.filter((unit) => !before.includes(unit)).map((unit) => `unit ${unit}: failed`),
  ];
}

/** No check takes longer than what is left of the whole. */
function within(check: Check, leftMs: number): Check {
  if (!("timeout" in check) || durationMs(check.timeout, leftMs) <= leftMs) return check;
  return { ...check, timeout: `${leftMs}ms` };
}

async function failedUnits(io: Io, signal?: AbortSignal): Promise<readonly string[] | null> {
  if (io.files.stat("/run/systemd/system") === undefined) return null;
  const result = await io.exec({
    file: "systemctl",
    args: ["list-units", "--state=failed", "--plain", "--no-legend", "--no-pager", "--full"],
    timeoutMs: 15_000,
    ...(signal === undefined ? {} : { signal }),
  });
  if (result.code !== 0) return null;
  return result.stdout
    .split("\n")
    .map((line) => line.trim().split(/\s+/)[0] ?? "")
    .filter((unit) => unit !== "");
}
