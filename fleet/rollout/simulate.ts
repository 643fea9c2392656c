import { durationMs } from "#core/duration.ts";
import type { Scenario } from "#generated/fleet/rollout/scenario.ts";
import { command, newRollout } from "./commands.ts";
import { isInProgress, standingOf } from "./node-states.ts";
import { type Population, populationOf } from "./population.ts";
import { reconcile, type Step } from "./reconcile.ts";
import {
  isEnded,
  type Phase,
  type Rollout,
  type RolloutEvent,
  type RolloutTally,
  unknownModel,
} from "./rollout.ts";
import { type VirtualFleet, virtualFleet } from "./virtual-fleet.ts";

/** Where a simulation stood at a time. */
export interface Sample {
  readonly atMs: number;
  readonly phase: Phase["state"];
  readonly wave: string;
  readonly succeeded: number;
  readonly failed: number;
  readonly inProgress: number;
}

/** What a simulation came to; the same for the same scenario and seed. Times are since its start. */
export interface SimulationReport {
  readonly v: 1;
  readonly seed: number;
  readonly nodes: number;
  /** Where it ended: an end, or `PAUSED` where nobody resumes. */
  readonly state: Phase["state"];
  readonly reason: string;
  readonly tookMs: number;
  readonly selected: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Selected nodes that were never started. */
  readonly notStarted: number;
  readonly takenBack: number;
  /** Most nodes that were in progress at once. */
  readonly mostInProgress: number;
  readonly waves: readonly WaveReport[];
  readonly models: readonly ModelReport[];
  readonly history: readonly { readonly atMs: number; readonly event: RolloutEvent }[];
  readonly samples: readonly Sample[];
  readonly steps: number;
}

export interface WaveReport {
  readonly name: string;
  readonly size: number | null;
  readonly startedMs: number | null;
  readonly passedMs: number | null;
  readonly succeeded: number;
  readonly failed: number;
}

export interface ModelReport {
  readonly model: string;
  readonly nodes: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly notStarted: number;
  /** Whether it was left out for its failures. */
  readonly held: boolean;
}

export interface SimulationOptions {
  readonly nodes?: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** Called now and then, with the time since the start. */
  readonly onSample?: (sample: Sample) => void;
  /** Called after each step, once its decisions were taken in. */
  readonly onStep?: (step: Step, population: Population, nowMs: number) => void;
}

const defaultStart = "2026-01-05T08:00:00Z";
const defaultNodes = 1_000;
const maxSamples = 240;
/** A step while nothing is new but who comes back. */
const convergingFactor = 30;

/**
 * Plays a rollout on a made-up fleet, with the reconciler that plays it on a real one. Rejects with the
 * signal's reason when aborted.
 */
export async function simulate(
  scenario: Scenario,
  {
    nodes: count = scenario.nodes ?? defaultNodes,
    seed,
    signal,
    onSample,
    onStep,
  }: SimulationOptions,
): Promise<SimulationReport> {
  const startMs = Date.parse(scenario.starts ?? defaultStart);
  const everyMs = Math.max(1_000, durationMs(scenario.every, 60_000));
  const fleet = virtualFleet(scenario, { count, seed, startMs });
  const population = populationOf(scenario.rollout, fleet.nodes);
  const history: { readonly atMs: number; readonly event: RolloutEvent }[] = [];
  const samples = sampler();
  let [nowMs, steps, mostInProgress, next] = [startMs, 0, 0, startMs];
  let rollout = newRollout(scenario.rollout, startMs);
  for (;;) {
    signal?.throwIfAborted();
    const { reported, came } = fleet.advanceTo(nowMs);
    // A step that nothing new leads to would come to nothing.
    if (nowMs < next && !reported && !(came && takesWhoComes(rollout))) {
      nowMs = laterMs(rollout, nowMs, { untilMs: fleet.nextMs() ?? next, everyMs });
      continue;
    }
    rollout = person(rollout, scenario, nowMs);
    const step = reconcile(rollout, population, nowMs);
    ({ rollout } = step);
    for (const decision of step.decisions) {
      fleet.act(decision, nowMs);
      if (decision.kind === "event") history.push({ atMs: nowMs - startMs, event: decision.event });
    }
    onStep?.(step, population, nowMs);
    const sample = sampleOf(rollout, step.tally, nowMs - startMs);
    mostInProgress = Math.max(mostInProgress, sample.inProgress);
    samples.add(sample);
    if (steps++ % 64 === 0) {
      onSample?.(sample);
      await new Promise(setImmediate);
    }
    const end = () => {
      samples.end(sample);
      return report({
        ...{ rollout, fleet, population, startMs, nowMs, seed, steps, mostInProgress, history },
        samples: samples.all(),
      });
    };
    if (isEnded(rollout.phase)) return end();
    const wakeMs = nextMs(rollout, scenario, step);
    if (wakeMs === null && fleet.nextMs() === null) return end();
    if (isAtRest(rollout, scenario, step)) return end();
    next = wakeMs ?? Number.POSITIVE_INFINITY;
    nowMs = laterMs(rollout, nowMs, {
      untilMs: Math.min(next, fleet.nextMs() ?? next),
      everyMs,
    });
  }
}

/** What the person of the scenario does. */
function person(rollout: Rollout, { approveAfter, resumeAfter }: Scenario, nowMs: number): Rollout {
  const { phase, sinceMs } = rollout;
  const by = { nowMs, reason: "the person of the scenario" };
  if (phase.state === "AWAITING_APPROVAL" && nowMs >= sinceMs + durationMs(approveAfter, 0))
    return command(rollout, "approve", by);
  if (phase.state !== "PAUSED" || resumeAfter === undefined) return rollout;
  return nowMs >= sinceMs + durationMs(resumeAfter, 0) ? command(rollout, "resume", by) : rollout;
}

/** The next time that the server looks. */
function laterMs(
  { phase }: Rollout,
  nowMs: number,
  { untilMs, everyMs }: { readonly untilMs: number; readonly everyMs: number },
): number {
  const slotMs = everyMs * (phase.state === "CONVERGING" ? convergingFactor : 1);
  return nowMs + Math.max(1, Math.ceil((untilMs - nowMs) / slotMs)) * slotMs;
}

/** Whether a node that comes back can be started. */
function takesWhoComes({ phase }: Rollout): boolean {
  return ["RUNNING", "CONVERGING", "ROLLING_BACK"].includes(phase.state);
}

/** When the server or the person looks next by themselves; `null` when only a report makes them. */
function nextMs(
  { phase, sinceMs }: Rollout,
  { approveAfter, resumeAfter }: Scenario,
  { wakeMs }: Step,
): number | null {
  if (phase.state === "AWAITING_APPROVAL") return sinceMs + durationMs(approveAfter, 0);
  if (phase.state === "PAUSED" && resumeAfter !== undefined)
    return sinceMs + durationMs(resumeAfter, 0);
  return wakeMs;
}

/** Whether nobody resumes what is paused, and what was in progress has come to its end. */
function isAtRest({ phase }: Rollout, { resumeAfter }: Scenario, { tally }: Step): boolean {
  const paused = phase.state === "PAUSED" && resumeAfter === undefined;
  return paused && tally.waves.every(({ inProgress }) => inProgress === 0);
}

function sampleOf({ phase, definition }: Rollout, tally: RolloutTally, atMs: number): Sample {
  const sum = (of: (wave: RolloutTally["waves"][number]) => number) =>
    tally.waves.reduce((total, wave) => total + of(wave), 0);
  return {
    atMs,
    phase: phase.state,
    wave: definition.waves[phase.wave]?.name ?? "",
    succeeded: sum(({ succeeded }) => succeeded),
    failed: sum(({ failed }) => failed),
    inProgress: sum(({ inProgress }) => inProgress) + tally.back.inProgress,
  };
}

/** Keeps a bounded number of samples, evenly over time, and every change of the phase. */
function sampler() {
  let samples: Sample[] = [];
  let intervalMs = 60_000;
  return {
    add(sample: Sample): void {
      const last = samples.at(-1);
      const isNew = last === undefined || last.phase !== sample.phase || last.wave !== sample.wave;
      if (!isNew && sample.atMs < last.atMs + intervalMs) return;
      samples.push(sample);
      if (samples.length <= maxSamples) return;
      intervalMs *= 2;
      samples = samples.filter((each, at) => {
        const before = samples[at - 1];
        return at % 2 === 0 || before?.phase !== each.phase || before.wave !== each.wave;
      });
    },
    end(sample: Sample): void {
      if (samples.at(-1)?.atMs !== sample.atMs) samples.push(sample);
    },
    all: (): readonly Sample[] => samples,
  };
}

interface Played {
  readonly rollout: Rollout;
  readonly fleet: VirtualFleet;
  readonly population: Population;
  readonly startMs: number;
  readonly nowMs: number;
  readonly seed: number;
  readonly steps: number;
  readonly mostInProgress: number;
  readonly history: SimulationReport["history"];
  readonly samples: readonly Sample[];
}

function report({
  rollout,
  fleet,
  population,
  startMs,
  nowMs,
  ...played
}: Played): SimulationReport {
  const { phase, definition } = rollout;
  const since = (ms: number | null | undefined) => (ms == null ? null : ms - startMs);
  const waves = definition.waves.map(({ name }, at) => ({
    ...{ name, size: rollout.waves[at]?.size ?? null },
    ...{
      startedMs: since(rollout.waves[at]?.startedMs),
      passedMs: since(rollout.waves[at]?.passedMs),
    },
    ...{ succeeded: 0, failed: 0 },
  }));
  const none = { nodes: 0, succeeded: 0, failed: 0, notStarted: 0 };
  const models = new Map<string, typeof none>();
  let [selected, notStarted, takenBack] = [0, 0, 0];
  population.nodes.forEach(({ hardware = unknownModel, progress }, at) => {
    if (population.selected[at] !== 1) return;
    selected++;
    const model = models.get(hardware) ?? { ...none };
    models.set(hardware, model);
    model.nodes++;
    if (progress === null) {
      notStarted++;
      model.notStarted++;
    } else if (progress.direction === "back") takenBack += progress.state === "SUCCEEDED" ? 1 : 0;
    else if (!isInProgress(progress.state)) {
      const standing = standingOf(progress.state);
      const wave = waves[progress.wave];
      for (const counted of wave === undefined ? [model] : [model, wave]) {
        if (standing === "succeeded") counted.succeeded++;
        if (standing === "failed") counted.failed++;
      }
    }
  });
  const total = (of: "succeeded" | "failed") => waves.reduce((sum, wave) => sum + wave[of], 0);
  return {
    v: 1,
    ...{ seed: played.seed, nodes: fleet.nodes.length, state: phase.state },
    ...{ reason: "reason" in phase ? phase.reason : "", tookMs: nowMs - startMs, selected },
    ...{ succeeded: total("succeeded"), failed: total("failed"), notStarted, takenBack },
    ...{ mostInProgress: played.mostInProgress, waves },
    models: [...models]
      .map(([model, counts]) => ({ model, ...counts, held: rollout.heldModels.includes(model) }))
      .sort((a, b) => b.nodes - a.nodes || (a.model < b.model ? -1 : 1)),
    ...{ history: played.history, samples: played.samples, steps: played.steps },
  };
}
