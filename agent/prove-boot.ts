import { describeFault } from "#core/fault.ts";
import { readBootId } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { Health } from "#generated/provisioner/spec/v1.ts";
import type { Recovery } from "#provisioner/system/system.ts";
import type { Stages } from "./boot-stages.ts";
import { type Baseline, judge } from "./health/judge.ts";
import { readJudging } from "./health/judging.ts";
import type { TrialDeps } from "./settle-trial.ts";

/** What is committed and was booted, and what the spec calls healthy. */
export interface BootSubject {
  readonly recovery: Pick<Recovery, "unproved">;
  readonly health: Health | undefined;
}

/**
 * Looks whether the committed system is well in the first boot of its own, and writes it down: until
 * then the generation before it is kept. It is held against what its trial was held against, so what
 * had failed before that is excused here as well, and what had to be kept must be there. Changes nothing
 * else; what goes wrong here is only logged.
 */
export async function lookAtBoot(
  d: TrialDeps & { readonly log: Log },
  way: Stages,
  { recovery: { unproved }, health }: BootSubject,
): Promise<void> {
  if (unproved === null) return;
  const { io, probe, signal, system, log } = d;
  const { transaction, toplevel } = unproved;
  const subject = { transaction, toplevel, bootId: readBootId(io.files) };
  const stop = signal === undefined ? {} : { signal };
  try {
    const baseline = inThisBoot((await readJudging(unproved.judging, log)).baseline);
    const verdict = await way.stage("prove", () =>
      judge(health, subject, { io, probe, baseline, ...stop }),
    );
    await system.prove(verdict);
    if (!verdict.healthy) log.warning("boot.unproved", { reasons: verdict.reasons.join("; ") });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    log.warning("boot.unproved", { message: describeFault(error).message });
  }
}

/** Restarts are counted anew by each boot; what nobody knows of excuses nothing. */
function inThisBoot({ failedUnits, restarted, kept }: Baseline): Baseline {
  const anew = (restarted ?? []).map((one) => ({ ...one, restarts: 0 }));
  return { failedUnits: failedUnits ?? [], restarted: anew, kept };
}
