import { type Baseline, judge, readBaseline } from "#agent/health/judge.ts";
import { hostProbe } from "#agent/health/probe.ts";
import { hostIo } from "#core/host-io.ts";
import type { Health } from "#generated/provisioner/spec/v1.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { Plan, RolledBack, Trial, Verdict } from "#provisioner/system/system.ts";

/** What came of a system whose service falls and is started again, as a judge saw it. */
export interface JudgedInside {
  readonly baseline: Baseline;
  readonly trial: Trial;
  readonly verdict: Verdict;
  readonly back: RolledBack;
  /** Of the system from before, when it ran again. */
  readonly after: Verdict;
}

const health: Health = { passes: 2, interval: "500ms", timeout: "12s", keep: [] };

/** Tries a system and judges it by what the real systemd says, as a boot does, and takes it back. */
export async function judgeInside(c: SystemClient, plan: Plan): Promise<JudgedInside> {
  const io = hostIo({ root: "/" });
  const probe = hostProbe(io, {
    witness: () => Promise.reject(new Error("nobody asks")),
    linkSettings: async () => undefined,
  });
  const baseline = await readBaseline(health, { io, probe });
  const trial = await c.try(plan, { watchMs: 60_000, judging: { health, baseline } });
  const verdict = await judge(health, trial, { io, probe, baseline });
  const back = await c.rollBack(trial, verdict);
  const after = await judge(health, trial, { io, probe, baseline });
  return { baseline, trial, verdict, back, after };
}
