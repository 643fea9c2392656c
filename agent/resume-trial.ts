import type { Log } from "#core/log.ts";
import type { ChangeReason, Recovery } from "#provisioner/system/system.ts";
import type { End, Stages } from "./boot-stages.ts";
import { readJudging } from "./health/judging.ts";
import { endBack, endTrial, type TrialDeps } from "./settle-trial.ts";

/**
 * Goes on with what an earlier process began, perhaps in another boot: a trial is judged, or waits for
 * a restart; of one that was judged and is back only now it is told. `undefined` where nothing of it
 * is left to do or to tell.
 */
export async function goOn(
  d: TrialDeps & { readonly log: Log },
  way: Stages,
  { state, details, trial, back }: Recovery,
): Promise<End | undefined> {
  if (state === "restart") return { outcome: "rebooting", message: details.join("; ") };
  if (trial !== null) {
    sawWanted(way, trial.reason, trial.trial.sourcesDigest);
    const judging = await readJudging(trial.judging, d.log);
    return endTrial(d, way, { trial: trial.trial, judging });
  }
  if (back === null) return undefined;
  const { transaction, verdict, rolledBack, reason, sourcesDigest } = back;
  sawWanted(way, reason, sourcesDigest);
  const judging = await readJudging(back.judging, d.log);
  return endBack(d, way, { transaction, judging, verdict, back: rolledBack });
}

/** A system that was gone back to is not what is asked for. */
function sawWanted(
  way: Stages,
  { by, hardwareProfile = null }: ChangeReason,
  sourcesDigest: string | null,
): void {
  if (by !== "rollback" && by !== "repair") way.saw({ wanted: { sourcesDigest, hardwareProfile } });
}
