import { Fault } from "#core/fault.ts";
import type { RolloutDefinition } from "#generated/fleet/rollout/definition.ts";
import { isEnded, type Phase, type Rollout } from "./rollout.ts";

/** A rollout at its beginning; nothing is started before the first step. */
export function newRollout(definition: RolloutDefinition, nowMs: number): Rollout {
  return {
    v: 1,
    definition,
    phase: { state: definition.waves[0]?.approval ? "AWAITING_APPROVAL" : "RUNNING", wave: 0 },
    sinceMs: nowMs,
    startedMs: nowMs,
    waves: definition.waves.map(() => ({
      size: null,
      startedMs: null,
      passedMs: null,
      forgiven: 0,
    })),
    heldModels: [],
    forgive: false,
    forgiven: { models: {}, groups: [] },
  };
}

/** What a person can do with a rollout. */
export type RolloutCommand = "approve" | "pause" | "resume" | "abort" | "roll-back";

/**
 * What a person asks of a rollout; the next step acts on it. `resume` goes on from all failures so far, and
 * waits through the soak again. Throws `rollout/refused` where it does not fit.
 */
export function command(
  rollout: Rollout,
  name: RolloutCommand,
  { nowMs, reason }: { readonly nowMs: number; readonly reason: string },
): Rollout {
  const { phase, definition } = rollout;
  const { wave } = phase;
  const enter = (next: Phase): Rollout => ({ ...rollout, phase: next, sinceMs: nowMs });
  const refuse = (why: string): never => {
    throw new Fault("rollout/refused", `${name} ${definition.name}: it is ${phase.state}; ${why}`);
  };
  if (isEnded(phase) && !(name === "roll-back" && phase.state !== "ROLLED_BACK"))
    return refuse("it has ended");
  switch (name) {
    case "approve":
      if (phase.state !== "AWAITING_APPROVAL") return refuse("nothing waits to be approved");
      return enter({ state: "RUNNING", wave });
    case "pause":
      if (phase.state === "PAUSED") return rollout;
      if (phase.state === "ROLLING_BACK") return refuse("going back can only be aborted");
      return enter({ state: "PAUSED", wave, reason });
    case "resume": {
      if (phase.state !== "PAUSED") return refuse("only what is paused is resumed");
      const next = approvalIsOwed(rollout) ? "AWAITING_APPROVAL" : nextState(rollout);
      return { ...enter({ state: next, wave }), forgive: true };
    }
    case "abort":
      return enter({ state: "ABORTED", wave, reason });
    case "roll-back":
      if (phase.state === "ROLLING_BACK") return rollout;
      return enter({ state: "ROLLING_BACK", wave, reason });
  }
}

/** Whether a pause came before the yes to a wave. */
function approvalIsOwed({ definition, phase, waves }: Rollout): boolean {
  return definition.waves[phase.wave]?.approval === true && waves[phase.wave]?.startedMs === null;
}

function nextState({ phase, waves }: Rollout): "RUNNING" | "CONVERGING" {
  return waves[phase.wave]?.passedMs == null ? "RUNNING" : "CONVERGING";
}
