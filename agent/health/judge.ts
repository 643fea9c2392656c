import { canonicalJson } from "#core/canonical-json.ts";
import type { Io } from "#core/io.ts";
import type { Check, Health } from "#generated/provisioner/spec/v1.ts";
import { healthTimes } from "#provisioner/spec/health-times.ts";
import { parseUptime } from "#provisioner/system/drift/failed-units.ts";
import type { Trial, Verdict } from "#provisioner/system/system.ts";
import { nameChecks } from "./check-names.ts";
import { isOfChange } from "./own-units.ts";
import type { LookLimits, Probe } from "./probe.ts";
import type { ServiceState } from "./probe-systemd.ts";
import { type Restarted, type RestartWatch, readRestarted, watchRestarts } from "./restarts.ts";

/** What was true before the trial: it is not blamed for what had failed, and keeps what worked. */
export interface Baseline {
  /** Names of systemd units that had failed already; `null` where there is no systemd. */
  readonly failedUnits: readonly string[] | null;
  /** Services that systemd had restarted by then; `null` where nobody knows. */
  readonly restarted: readonly Restarted[] | null;
  /** Checks that passed, of those that a change must keep. */
  readonly kept: readonly Check[];
}

/** What is judged when the spec says nothing. */
const healthDefaults = {
  failedUnits: "new",
  keep: ["link", "route"],
} as const;

/** How long a trial is watched at most, in milliseconds. */
export function watchMs(health: Health | undefined): number {
  return healthTimes(health).timeoutMs;
}

/** What the judge may use. */
export interface JudgeOptions extends BaselineOptions {
  readonly baseline: Baseline;
}

/** What is judged: a trial, or a system that was booted and needed no activation. */
export type Judgeable = Pick<Trial, "transaction" | "toplevel" | "bootId"> &
  Partial<Pick<Trial, "activation" | "message">>;

/**
 * Watches a trial until every check has passed some times in a row and for as long as the soak
 * lasts, or the time is over. The verdict names the trial, the system and the boot that it is about.
 *
 * An activation that was refused is not watched. One in which something failed is judged by what is
 * there afterwards: a unit that failed in it counts for as long as it has failed, or is restarted again
 * and again; where all is well by then the verdict still says what the activation said.
 */
export async function judge(
  health: Health | undefined,
  trial: Judgeable,
  options: JudgeOptions,
): Promise<Verdict> {
  const { clock } = options.io;
  const started = clock.monotonicMs();
  const elapsedMs = () => clock.monotonicMs() - started;
  const { transaction, toplevel, bootId } = trial;
  const verdict = (
    healthy: boolean,
    passes: number,
    reasons: readonly string[],
    failed: readonly string[] = [],
  ): Verdict => {
    const subject = { transaction, toplevel, bootId };
    return { healthy, failed, passes, reasons, ms: Math.round(elapsedMs()), subject };
  };
  if (trial.activation === "refused")
    return verdict(false, 0, [trial.message ?? "the activation was refused"]);

  const { passes: wanted, intervalMs, timeoutMs, soakMs } = healthTimes(health);
  const signal = options.signal ?? new AbortController().signal;
  const restarts = restartWatch(health, options.baseline.restarted);
  let passes = 0;
  let sinceMs = 0; // of the first round that passed in a row
  let before: readonly Failure[] = []; // of the round before
  for (;;) {
    const began = elapsedMs();
    const leftMs = Math.max(1, Math.ceil(timeoutMs - began));
    const failures = await look(health, { ...options, restarts, signal, leftMs });
    const isOver = elapsedMs() >= timeoutMs; // a check was ended, and might have passed
    passes = failures.length === 0 ? passes + 1 : 0;
    if (passes === 1) sinceMs = began;
    const soaked = elapsedMs() - sinceMs >= soakMs;
    if (passes >= wanted && soaked)
      return verdict(true, passes, [
        passes === 1 ? "every check passed" : `${passes} rounds of checks passed in a row`,
        ...(trial.activation === "degraded" && trial.message ? [trial.message] : []),
      ]);
    if (elapsedMs() + intervalMs > timeoutMs) {
      const short = `only ${passes} of ${wanted} rounds passed within ${timeoutMs} ms`;
      const soft = `every round passed, but not for ${soakMs} ms within ${timeoutMs} ms`;
      const reason = passes >= wanted ? soft : short;
      // The last round may have had no time to see what the one before saw.
      const gone = before.filter(({ name }) => failures.every((one) => one.name !== name));
      const told = failures.length === 0 ? [] : [...gone, ...failures];
      const reasons = told.map(({ message }) => message);
      // What only a round found that had no time, or that the time ended, is told, and blames nobody.
      const isCut = leftMs < intervalMs || isOver;
      const isHurried = told.length > 0 && before.length > 0 && isCut;
      const names = (isHurried ? before : told).map(({ name }) => name);
      return verdict(false, passes, reasons.length > 0 ? reasons : [reason], names);
    }
    before = failures;
    await clock.sleep(intervalMs, signal);
  }
}

/** What a look at the machine before a trial needs. */
export interface BaselineOptions {
  readonly io: Io;
  readonly probe: Probe;
  readonly signal?: AbortSignal;
}

/** What holds before anything is tried: units that have failed, and what works and must go on working. */
export async function readBaseline(
  health: Health | undefined,
  { io, probe, signal = new AbortController().signal }: BaselineOptions,
): Promise<Baseline> {
  const wanted = (health?.keep ?? healthDefaults.keep).map((type): Check => ({ type }));
  const limits = { signal, limitMs: Number.POSITIVE_INFINITY };
  const [failed, services, ...results] = await Promise.all([
    // Of a systemd that does not say it, no unit counts as having failed before.
    failedNow(io, limits).catch(() => []),
    servicesNow(io, limits).catch(() => null),
    ...wanted.map((check) => probe(check, signal).catch(() => ({ passed: false }))),
  ]);
  signal.throwIfAborted();
  return {
    failedUnits: failed,
    restarted: services && readRestarted(services, parseUptime(io.files.readText("/proc/uptime"))),
    kept: wanted.filter((_, index) => results[index]?.passed),
  };
}

interface Round extends JudgeOptions {
  /** Remembers from round to round. */
  readonly restarts: RestartWatch;
  /** Of the time for the whole judgement. */
  readonly leftMs: number;
}

/** A check that did not pass. */
export interface Failure {
  /** The same for the same check whenever it is made; nothing that may be secret. */
  readonly name: string;
  /** For a person. */
  readonly message: string;
}

/** What the rounds of one watch remember of services that are restarted. */
export function restartWatch(
  health: Health | undefined,
  before: readonly Restarted[] | null,
): RestartWatch {
  const { timeoutMs } = healthTimes(health);
  return watchRestarts({ before, excuses: modeOf(health) === "new", timeoutMs });
}

/** One round of all checks: what did not pass. None takes longer than what is left of the whole. */
export async function look(
  health: Health | undefined,
  { io, probe, baseline, restarts, signal = new AbortController().signal, leftMs }: Round,
): Promise<readonly Failure[]> {
  const asked = (health?.checks ?? []).map((check) => canonicalJson(check));
  const kept = baseline.kept.filter((check) => !asked.includes(canonicalJson(check)));
  const checks = [...(health?.checks ?? []), ...kept];
  const limits = { signal, limitMs: leftMs };
  const [units, ...results] = await Promise.all([
    unwellUnits(health, { io, baseline, restarts, limits }),
    ...checks.map((check) => probe(check, signal, leftMs)),
  ]);
  const names = nameChecks(checks);
  const failures = results.flatMap(({ passed, message }, index): readonly Failure[] =>
    passed ? [] : [{ name: names[index] ?? "", message }],
  );
  return [...failures, ...units];
}

/** The units that count against the trial: they have failed, or are restarted again and again. */
async function unwellUnits(
  health: Health | undefined,
  {
    io,
    baseline,
    restarts,
    limits,
  }: Pick<Round, "io" | "baseline" | "restarts"> & { readonly limits: LookLimits },
): Promise<readonly Failure[]> {
  const mode = modeOf(health);
  if (mode === "ignore") return [];
  const before = mode === "new" ? (baseline.failedUnits ?? []) : [];
  try {
    const [failed, services] = await Promise.all([failedNow(io, limits), servicesNow(io, limits)]);
    const down = (failed ?? [])
      .filter((unit) => !before.includes(unit) && !isOfChange(unit))
      .map((unit) => ({ name: `unit ${unit}`, message: `unit ${unit}: failed` }));
    return [...down, ...restarts.look(services ?? [], io.clock.monotonicMs())];
  } catch (error) {
    limits.signal.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    return [{ name: "failed units", message }]; // nobody knows: not healthy
  }
}

function modeOf(health: Health | undefined): "new" | "any" | "ignore" {
  return health?.failedUnits ?? healthDefaults.failedUnits;
}

/** Names of failed units, `null` where there is no systemd. Throws where it does not answer. */
async function failedNow(io: Io, limits: LookLimits): Promise<readonly string[] | null> {
  if (!hasSystemd(io)) return null;
  return (await import("./probe-systemd.ts")).failedUnits(io, limits);
}

/** Services as systemd sees them, `null` where there is none. Throws where it does not answer. */
async function servicesNow(io: Io, limits: LookLimits): Promise<readonly ServiceState[] | null> {
  if (!hasSystemd(io)) return null;
  return (await import("./probe-systemd.ts")).readServices(io, limits);
}

function hasSystemd({ files }: Io): boolean {
  return files.stat("/run/systemd/system") !== undefined;
}
