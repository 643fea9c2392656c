import { describeFault } from "#core/fault.ts";
import { readBootId } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { Health } from "#generated/provisioner/spec/v1.ts";
import type { Recovery } from "#provisioner/system/system.ts";
import type { Stages } from "./boot-stages.ts";
import { judge } from "./health/judge.ts";
import type { TrialDeps } from "./settle-trial.ts";

/** What is committed and was booted, and what the spec calls healthy. */
export interface BootSubject {
  readonly recovery: Pick<Recovery, "unproved">;
  readonly health: Health | undefined;
}

/** Nothing that fails is excused by having failed before. */
const baseline = { failedUnits: [], restarted: [], kept: [] } as const;

/**
 * Looks whether the committed system is well in the first boot of its own, and writes it down: until
 * then the generation before it is kept. Changes nothing else; what goes wrong here is only logged.
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
