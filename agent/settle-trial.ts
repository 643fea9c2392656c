import { describeFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Health } from "#generated/provisioner/spec/v1.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { Plan, RolledBack, Trial, Verdict } from "#provisioner/system/system.ts";
import type { End, Stages } from "./boot-stages.ts";
import { failedSideEffects } from "./command-states.ts";
import { type Conclusive, conclusionOf } from "./health/conclude.ts";
import { judge, readBaseline, watchMs } from "./health/judge.ts";
import type { Judging } from "./health/judging.ts";
import type { Probe } from "./health/probe.ts";

/** What a trial needs to be watched. */
export interface TrialDeps {
  readonly io: Io;
  readonly system: SystemClient;
  readonly probe: Probe;
  readonly signal?: AbortSignal;
  /** Keeps the base that the sources stand on; called when a trial is healthy, before its commit. */
  readonly recordBase?: (sourcesDigest: string | null) => void;
}

/** What is tried, and how it is judged. */
export interface TrialOfPlan {
  readonly plan: Plan;
  readonly health: Health | undefined;
  /** Digest of the plan that was approved, if it was one: anything else is not tried. */
  readonly approved?: string | undefined;
}

/** Tries a plan, judges it by what the spec calls healthy, and commits it or takes it back. */
export async function settleTrial(
  d: TrialDeps,
  way: Stages,
  { plan, health, approved }: TrialOfPlan,
): Promise<End> {
  const judging: Judging = {
    ...(health === undefined ? {} : { health }),
    baseline: await readBaseline(health, d),
  };
  const options = { watchMs: watchMs(health), judging: { ...judging }, approved };
  const trial = await way.stage("try", () => d.system.try(plan, options));
  return endTrial(d, way, { trial, judging });
}

/** A trial, and what its judge goes by. */
export interface Judged {
  readonly trial: Trial;
  readonly judging: Judging;
}

/** Judges a trial, or says that it waits for a restart. */
export async function endTrial(d: TrialDeps, way: Stages, judged: Judged): Promise<End> {
  const { trial } = judged;
  if (trial.activation === "waits-for-restart") {
    return { outcome: "rebooting", message: trial.message ?? "the trial takes a restart" };
  }
  const verdict = await way
    .stage("judge", () => judgeTrial(d, judged))
    .catch((error) => withoutJudgement(error, d.signal));
  if (!verdict.healthy) {
    const back = await way.stage("roll-back", () => d.system.rollBack(trial, verdict));
    const { transaction } = trial;
    return endBack(d, way, { transaction, judging: judged.judging, verdict, back });
  }
  const committed = await way.stage("commit", () => {
    d.recordBase?.(trial.sourcesDigest);
    return d.system.commit(trial, verdict);
  });
  const failures = failedSideEffects(d.io, trial.transaction);
  const { incomplete, ...now } = committed;
  const runs =
    incomplete === null
      ? `generation ${now.generation} runs and is the boot default`
      : `generation ${now.generation} runs; ${incomplete}`;
  const [activation = ""] =
    (trial.activation === "degraded" ? trial.message : null)?.split("\n") ?? [];
  const message = [runs, activation, ...failures].filter((part) => part !== "").join("; ");
  const degraded = trial.activation === "degraded" || failures.length > 0 || incomplete !== null;
  return { outcome: "committed", message, ...now, verdict, degraded };
}

/** The way back of a trial that was judged. */
export interface WayBack {
  readonly transaction: string;
  readonly judging: Judging;
  readonly verdict: Verdict;
  readonly back: RolledBack;
}

/** What a trial that was judged comes to: back now, or after a restart of the machine. */
export async function endBack(
  d: TrialDeps,
  way: Stages,
  { transaction, judging, verdict, back }: WayBack,
): Promise<End> {
  const { toplevel, generation, sourcesDigest } = back;
  const runs = { toplevel, generation, sourcesDigest, verdict };
  const message = verdict.healthy
    ? back.reasons.join("; ")
    : `not healthy: ${verdict.reasons.join("; ")}`;
  if (back.restart) {
    const restart = `${message}; the machine is restarted into the system from before`;
    return { outcome: "rebooting", message: restart, ...runs };
  }
  // No check failed: nothing to look at again.
  if ((verdict.failed ?? []).length === 0) return { outcome: "rolled-back", message, ...runs };
  const { conclusive, reasons } = await way
    .stage("conclude", () => conclusionOf({ judging, verdict }, d))
    .catch((error) => withoutLook(error, d.signal));
  await d.system.conclude({ transaction, conclusive, reasons });
  const unblamed = `${message}; ${reasons.join("; ")}, so the release is not held back`;
  return { outcome: "rolled-back", message: conclusive ? message : unblamed, ...runs };
}

/** Where nobody can look again the verdict stands. */
function withoutLook(error: unknown, signal: AbortSignal | undefined): Conclusive {
  if (signal?.aborted === true) throw error;
  return { conclusive: true, reasons: [] };
}

function judgeTrial(d: TrialDeps, { trial, judging }: Judged): Promise<Verdict> {
  const { io, probe, signal } = d;
  const { health, baseline } = judging;
  return judge(health, trial, { io, probe, baseline, ...(signal === undefined ? {} : { signal }) });
}

/** What cannot be judged goes back, blaming nobody. An end that was asked for leaves that to the next start. */
function withoutJudgement(error: unknown, signal: AbortSignal | undefined): Verdict {
  if (signal?.aborted === true) throw error;
  const reasons = [`cannot be judged: ${describeFault(error).message}`];
  return { healthy: false, conclusive: false, passes: 0, reasons, ms: 0 };
}
