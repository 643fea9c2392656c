import type { Log } from "#core/log.ts";
import type { NewEvent } from "#protocol/events.ts";
import { BootStages, type End } from "./boot-stages.ts";
import { endOfFault, withRunning } from "./end-of-fault.ts";
import { readJudging } from "./health/judging.ts";
import type { Outcome, OutcomeKind } from "./outcome.ts";
import { askRetry, stopRetry } from "./retry.ts";
import { settleTrial, type TrialDeps } from "./settle-trial.ts";

/** What going back needs. */
export interface RollBackDeps extends TrialDeps {
  readonly log: Log;
  /** Hands an event to the durable outbox. */
  readonly report: (event: NewEvent) => void;
  /** Version of this program. */
  readonly version: string;
}

/**
 * Goes back to a generation that a person named, or to the previous good one, through the same trial
 * as any change, judged by the checks its system was last committed with; later boots leave it alone
 * until something else is asked for. Throws `system/generation-unknown` before anything is done; every
 * other end is an outcome.
 */
export function rollBackTo(d: RollBackDeps, generation: number | null): Promise<Outcome> {
  const where = generation === null ? "the previous generation" : `generation ${generation}`;
  return goBack(d, { generation, by: "rollback", why: `back to ${where}`, left: null });
}

/** Why what runs is left, and what it was made from. */
export interface Damage {
  readonly why: string;
  /** Digest of its sources; `null` where that is not known. */
  readonly left: string | null;
}

/**
 * The same by itself, because what runs is damaged: nobody has chosen it, so what is asked for is tried
 * again once the time is over for which it is held back.
 */
export function fallBackTo(
  d: RollBackDeps,
  generation: number,
  { why, left }: Damage,
): Promise<Outcome> {
  const toWhere = `back to generation ${generation}: ${why}`;
  return goBack(d, { generation, by: "repair", why: toWhere, left });
}

interface GoingBack extends Damage {
  readonly generation: number | null;
  readonly by: "rollback" | "repair";
}

async function goBack(d: RollBackDeps, { generation, by, why, left }: GoingBack): Promise<Outcome> {
  const { system, log } = d;
  const { state: recovered, details } = await system.recover();
  const reason = { by, why, instanceId: null };
  const { plan, judging } = await system.planGeneration(generation, reason);
  const { health } = await readJudging(judging, log);
  d.report({ kind: "boot.started", body: { by, agent: d.version, recovered } });
  const way = new BootStages({ ...d, by: "apply" });
  // A trial that was open is on its way back, and that takes a restart.
  const end: End =
    recovered === "restart"
      ? { outcome: "rebooting", message: details.join("; ") }
      : await settleTrial(d, way, { plan, health }).catch((error) => endOfFault(error, log));
  const told = await withRunning(end, system, log);
  if (left !== null && end.outcome === "committed") {
    const wanted = { sourcesDigest: left };
    return way.finish({ ...told, triedAgainAt: await askRetry({ system, log, wanted }) });
  }
  const isDecided = by === "rollback" && endsOfTrial.includes(end.outcome);
  if (isDecided) await stopRetry(told, { system, log });
  return way.finish(told);
}

/** By which who went back has decided what runs, whatever was to be tried before. */
const endsOfTrial: readonly OutcomeKind[] = ["committed", "unchanged", "rolled-back"];
