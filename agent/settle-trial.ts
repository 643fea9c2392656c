import { describeFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Health } from "#generated/provisioner/spec/v1.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { Plan, Trial, Verdict } from "#provisioner/system/system.ts";
import type { End, Stages } from "./boot-stages.ts";
import { failedSideEffects } from "./command-states.ts";
import { type Baseline, judge, readBaseline, watchMs } from "./health/judge.ts";
import type { Probe } from "./health/probe.ts";

/** What a trial needs to be watched. */
export interface TrialDeps {
  readonly io: Io;
  readonly system: SystemClient;
  readonly probe: Probe;
  readonly signal?: AbortSignal;
}

/** What is tried, and how it is judged. */
export interface TrialOfPlan {
  readonly plan: Plan;
  readonly health: Health | undefined;
  /** Digest of the plan that was approved, if it was one: anything else is not tried. */
  readonly approved?: string | undefined;
  /** Called when it is healthy, before it is committed. */
  readonly beforeCommit?: () => void;
}

/** Tries a plan, judges it by what the spec calls healthy, and commits it or takes it back. */
export async function settleTrial(
  d: TrialDeps,
  way: Stages,
  { plan, health, approved, beforeCommit = () => {} }: TrialOfPlan,
): Promise<End> {
  const baseline = await readBaseline(health, d);
  const trial = await way.stage("try", () => d.system.try(plan, watchMs(health), approved));
  const verdict = await way
    .stage("judge", () => judgeTrial(d, health, { trial, baseline }))
    .catch((error) => withoutJudgement(error, d.signal));
  if (!verdict.healthy) {
    const back = await way.stage("roll-back", () => d.system.rollBack(trial, verdict));
    const { toplevel, generation, sourcesDigest } = back;
    const message = `not healthy: ${verdict.reasons.join("; ")}`;
    return { outcome: "rolled-back", message, toplevel, generation, sourcesDigest, verdict };
  }
  const committed = await way.stage("commit", () => {
    beforeCommit();
    return d.system.commit(trial, verdict);
  });
  const failures = failedSideEffects(d.io, trial.transaction);
  const runs = `generation ${committed.generation} runs and is the boot default`;
  const message = [runs, ...failures].join("; ");
  const degraded = trial.activation === "degraded" || failures.length > 0;
  return { outcome: "committed", message, ...committed, verdict, degraded };
}

function judgeTrial(
  { io, probe, signal }: TrialDeps,
  health: Health | undefined,
  { trial, baseline }: { readonly trial: Trial; readonly baseline: Baseline },
): Promise<Verdict> {
  return judge(health, trial, { io, probe, baseline, ...(signal === undefined ? {} : { signal }) });
}

/** What cannot be judged goes back. An end that was asked for leaves that to the next start. */
function withoutJudgement(error: unknown, signal: AbortSignal | undefined): Verdict {
  if (signal?.aborted === true) throw error;
  const { message } = describeFault(error);
  return { healthy: false, passes: 0, reasons: [`cannot be judged: ${message}`], ms: 0 };
}
