import { durationMs } from "#core/duration.ts";
import type { RolloutDefinition } from "#generated/fleet/rollout/definition.ts";
import { type Admission, admit, sizeOfWave } from "./admit.ts";
import { atLeast, atMost } from "./amount.ts";
import { hear, late, moved, timeoutOf } from "./hear.ts";
import { isInProgress, standingOf } from "./node-states.ts";
import { type Population, populationOf } from "./population.ts";
import { goBack } from "./roll-back.ts";
import {
  type Decision,
  isEnded,
  type NodeProgress,
  type Phase,
  type Rollout,
  type RolloutNode,
  type RolloutTally,
  type WaveProgress,
} from "./rollout.ts";
import { type Counts, count, emptyCounts, forgivenModels, occupy, startedOf } from "./tally.ts";

/** What a step came to. */
export interface Step {
  /** In the order in which they are to be written and done. */
  readonly decisions: readonly Decision[];
  /** The rollout afterwards; the same object when nothing of it has changed. */
  readonly rollout: Rollout;
  readonly tally: RolloutTally;
  /** When to look again, if nothing is heard before; `null` when only a report or a person changes it. */
  readonly wakeMs: number | null;
}

const defaultDeadlineMs = 7 * 86_400_000;
const defaultOfflineMs = 600_000;
/** So often it is looked whether a window opens. */
const windowMs = 60_000;

/**
 * One step of a rollout: what the nodes have said is taken in, thresholds are looked at, waves go on, nodes
 * are started. Pure: the same input gives the same decisions, in whichever order the nodes come. The
 * decisions carry the new progress of each node; they and the rollout are written in one transaction,
 * and acted on afterwards. A step after a crash decides the same again.
 */
export function reconcile(
  rollout: Rollout,
  nodes: readonly RolloutNode[] | Population,
  nowMs: number,
): Step {
  const population = "models" in nodes ? nodes : populationOf(rollout.definition, nodes);
  return new StepOfRollout(rollout, population, nowMs).run();
}

/** How long a rollout has, and going back as long again. */
export function deadlineOf({ deadline }: RolloutDefinition): number {
  return durationMs(deadline, defaultDeadlineMs);
}

/** Nodes that are connected, and are started as soon as something lets them. */
function coming({ window = 0, budget = 0, busy = 0, canary = 0 }: Admission["waiting"]): number {
  return window + budget + busy + canary;
}

class StepOfRollout {
  readonly #before: Rollout;
  readonly #population: Population;
  readonly #definition: RolloutDefinition;
  readonly #nowMs: number;
  readonly #counts: Counts;
  readonly #progress: (NodeProgress | null)[];
  readonly #taken: Uint8Array;
  readonly #decisions: Decision[] = [];
  readonly #timeoutMs: number;
  readonly #countsOffline: boolean;
  #rollout: Rollout;
  #admission: Admission = { started: [], waiting: {}, already: 0 };
  #back = { inProgress: 0, done: 0, stuck: 0 };
  #wakeMs = Number.POSITIVE_INFINITY;

  constructor(rollout: Rollout, population: Population, nowMs: number) {
    this.#before = rollout;
    this.#rollout = rollout;
    this.#definition = rollout.definition;
    this.#population = population;
    this.#nowMs = nowMs;
    this.#timeoutMs = timeoutOf(rollout.definition);
    this.#countsOffline = rollout.definition.budgets?.some((each) => each.countOffline) === true;
    this.#counts = emptyCounts(rollout.definition, population);
    this.#progress = new Array(population.nodes.length).fill(null);
    this.#taken = new Uint8Array(population.nodes.length);
  }

  run(): Step {
    this.#hear();
    if (this.#rollout.forgive) this.#forgive();
    this.#holdModels();
    // Each turn ends in another phase or is the last; the phases have an order, so that they end.
    const most = 2 * this.#definition.waves.length + 4;
    for (let turn = 0; turn < most; turn++) {
      const { phase } = this.#rollout;
      this.#advance();
      if (this.#rollout.phase === phase) break;
    }
    const { phase } = this.#rollout;
    if (!isEnded(phase) && phase.state !== "ROLLING_BACK") this.#wakeAt(this.#deadlineMs());
    return {
      decisions: this.#decisions,
      rollout: this.#rollout,
      tally: this.#tally(),
      wakeMs: Number.isFinite(this.#wakeMs) ? this.#wakeMs : null,
    };
  }

  #hear(): void {
    const { nodes } = this.#population;
    for (let at = 0; at < nodes.length; at++) {
      const node = nodes[at] as RolloutNode;
      const { progress: before } = node;
      if (before === null) {
        this.#occupyElse(node, at, node.busy);
        continue;
      }
      const progress = this.#timed(node, before, hear(node, before, this.#nowMs));
      this.#keep(at, progress);
      count(this.#counts, this.#population, { at, progress });
      if (!node.online && !isInProgress(progress.state)) this.#occupyElse(node, at, false);
    }
  }

  /** The time of a node, where one runs, and what is to be kept of it. */
  #timed({ node }: RolloutNode, before: NodeProgress, heard: NodeProgress): NodeProgress {
    const standing = standingOf(heard.state);
    if (standing === "untouched" || standing === "begun") {
      const dueMs = heard.activeMs + this.#timeoutMs;
      if (this.#nowMs >= dueMs) {
        const decision = late(node, heard, this.#nowMs);
        this.#decisions.push(decision);
        return "progress" in decision ? decision.progress : heard;
      }
      if (dueMs < this.#wakeMs) this.#wakeMs = dueMs;
    }
    if (heard !== before) this.#decisions.push({ kind: "note", node, progress: heard });
    return heard;
  }

  /** Takes a place of the budgets for what is not of this rollout. */
  #occupyElse(node: RolloutNode, at: number, busy: boolean): void {
    if (busy) occupy(this.#counts, this.#population, { at });
    else if (!node.online && this.#countsOffline && this.#population.selected[at] === 1)
      occupy(this.#counts, this.#population, { at, offline: true });
  }

  /** What has failed until now is as if it had not, for waves, models and groups. */
  #forgive(): void {
    const { models, groups } = this.#population;
    const budgets = this.#definition.budgets?.length ?? 0;
    const named = (names: readonly string[], counts: Int32Array) =>
      Object.fromEntries(
        names
          .map((name, at) => [name, counts[at] ?? 0] as const)
          .filter(([, failed]) => failed > 0),
      );
    this.#rollout = {
      ...this.#rollout,
      forgive: false,
      heldModels: [],
      forgiven: {
        models: named(models.names, this.#counts.models.failed),
        groups: groups
          .slice(budgets)
          .map(({ names }, at) =>
            named(names, this.#counts.groups[at + budgets]?.failed ?? new Int32Array()),
          ),
      },
      waves: this.#rollout.waves.map((wave, at) => ({
        ...wave,
        forgiven: this.#counts.waves[at]?.failed ?? 0,
      })),
    };
  }

  #holdModels(): void {
    const { holdModel } = this.#definition;
    const { state } = this.#rollout.phase;
    if (holdModel === undefined || isEnded(this.#rollout.phase) || state === "ROLLING_BACK") return;
    const { names } = this.#population.models;
    const { inProgress, succeeded, failed } = this.#counts.models;
    const forgiven = forgivenModels(this.#rollout, this.#population);
    for (let model = 0; model < names.length; model++) {
      const name = names[model] ?? "";
      const count = (failed[model] ?? 0) - (forgiven[model] ?? 0);
      const started = (inProgress[model] ?? 0) + (succeeded[model] ?? 0) + (failed[model] ?? 0);
      if (count < (holdModel.atLeast ?? 2) || count <= atMost(holdModel.failures, started))
        continue;
      if (this.#rollout.heldModels.includes(name)) continue;
      const heldModels = [...this.#rollout.heldModels, name].sort();
      this.#rollout = { ...this.#rollout, heldModels };
      this.#event({ event: "model.held", model: name, failed: count });
    }
  }

  #advance(): void {
    const { phase } = this.#rollout;
    if (isEnded(phase)) return this.#letGo();
    if (phase.state === "ROLLING_BACK") return this.#goBack();
    if (this.#nowMs >= this.#deadlineMs()) return this.#end();
    if (phase.state !== "PAUSED" && phase.state !== "AWAITING_APPROVAL") {
      const failure = this.#failure();
      if (failure !== undefined) return this.#fail(failure);
    }
    switch (phase.state) {
      case "RUNNING":
        return this.#runWave(phase.wave);
      case "SOAKING":
        return this.#soak(phase.wave, phase.untilMs);
      case "CONVERGING":
        return this.#converge();
      default:
        this.#admit(false);
    }
  }

  /** Why a wave that was begun has failed, whichever it is: nodes may still fail after it has passed. */
  #failure(): string | undefined {
    for (const [at, wave] of this.#rollout.waves.entries()) {
      const counted = this.#counts.waves[at];
      const { name = "", failures = "5%" } = this.#definition.waves[at] ?? {};
      if (wave.size === null || counted === undefined) continue;
      const size = Math.max(wave.size, startedOf(counted));
      const failed = counted.failed - wave.forgiven;
      const borne = atMost(failures, size);
      if (failed > borne)
        return `wave ${name}: ${failed} of ${size} failed, where ${borne} are borne`;
    }
    return undefined;
  }

  #runWave(wave: number): void {
    if (this.#rollout.waves[wave]?.startedMs === null) this.#startWave(wave);
    this.#admit(true);
    const { waiting } = this.#admission;
    if ((waiting.window ?? 0) > 0) this.#wakeAt(this.#nowMs + windowMs);
    if (coming(waiting) > 0) return;
    const { startedMs } = this.#rollout.waves[wave] ?? {};
    const { name = "", select, soak } = this.#definition.waves[wave] ?? {};
    const offline = waiting.offline ?? 0;
    const graceMs = (startedMs ?? 0) + durationMs(this.#definition.offlineAfter, defaultOfflineMs);
    if (offline > 0 && this.#nowMs < graceMs) return this.#wakeAt(graceMs);
    const { started, inProgress, succeeded, needed } = this.#gate(wave);
    if (started === 0) {
      // A wave that nobody was there for proves nothing; what was proved before may be enough.
      if (offline > 0 && (select !== undefined || this.#counts.succeeded === 0)) return;
      return this.#passWave(wave);
    }
    if (succeeded < needed) {
      if (inProgress > 0) return;
      return this.#fail(
        `wave ${name}: ${succeeded} of ${started} succeeded, where ${needed} are needed`,
      );
    }
    const soakMs = durationMs(soak, 0);
    if (soakMs === 0) return this.#passWave(wave);
    this.#enter({ state: "SOAKING", wave, untilMs: this.#nowMs + soakMs });
  }

  /** What a wave has come to, beside what it must come to; what a person has forgiven stands for a success. */
  #gate(wave: number) {
    const counted = this.#counts.waves[wave] ?? { inProgress: 0, succeeded: 0, failed: 0 };
    const started = startedOf(counted);
    const succeeded = counted.succeeded + (this.#rollout.waves[wave]?.forgiven ?? 0);
    const needed = atLeast(this.#definition.waves[wave]?.success ?? "95%", started);
    return { started, inProgress: counted.inProgress, succeeded, needed };
  }

  #soak(wave: number, untilMs: number): void {
    this.#admit(false);
    if (this.#nowMs < untilMs) return this.#wakeAt(untilMs);
    const { succeeded, needed } = this.#gate(wave);
    if (succeeded >= needed) return this.#passWave(wave);
    this.#enter({ state: "RUNNING", wave });
  }

  #startWave(wave: number): void {
    const parts = { rollout: this.#rollout, population: this.#population, taken: this.#taken };
    const size = sizeOfWave(parts, wave);
    this.#change(wave, { size, startedMs: this.#nowMs });
    this.#event({ event: "wave.started", wave: this.#definition.waves[wave]?.name ?? "", size });
  }

  #passWave(wave: number): void {
    this.#change(wave, { passedMs: this.#nowMs });
    const succeeded = this.#counts.waves[wave]?.succeeded ?? 0;
    this.#event({
      event: "wave.passed",
      wave: this.#definition.waves[wave]?.name ?? "",
      succeeded,
    });
    const next = this.#definition.waves[wave + 1];
    if (next === undefined) return this.#enter({ state: "CONVERGING", wave });
    const state = next.approval === true ? "AWAITING_APPROVAL" : "RUNNING";
    this.#enter({ state, wave: wave + 1 });
  }

  #converge(): void {
    this.#admit(true);
    const { waiting } = this.#admission;
    if ((waiting.window ?? 0) > 0) this.#wakeAt(this.#nowMs + windowMs);
    if (coming(waiting) + (waiting.offline ?? 0) === 0 && this.#counts.inProgress === 0) {
      const { wave } = this.#rollout.phase;
      this.#enter({ state: "SUCCEEDED", wave, reason: this.#came() });
    }
  }

  #came(): string {
    return `${this.#counts.succeeded} nodes have the release`;
  }

  /** The deadline is over: whoever is not there yet does not come any more. */
  #end(): void {
    const { phase } = this.#rollout;
    const state = phase.state === "CONVERGING" ? "SUCCEEDED" : "TIMED_OUT";
    const reason = state === "SUCCEEDED" ? this.#came() : `the deadline was over in ${phase.state}`;
    this.#enter({ state, wave: phase.wave, reason });
  }

  #fail(reason: string): void {
    const { wave } = this.#rollout.phase;
    const state = this.#definition.onFailure === "roll-back" ? "ROLLING_BACK" : "PAUSED";
    this.#enter({ state, wave, reason });
  }

  /** After the end nothing is begun: who has not begun is let go. */
  #letGo(): void {
    this.#forEachStarted((at, progress) => {
      const standing = standingOf(progress.state);
      if (standing === "untouched" || standing === "waits") this.#put(at, "withdraw", "CANCELED");
    });
  }

  #goBack(): void {
    const deadlineMs = this.#rollout.sinceMs + deadlineOf(this.#definition);
    const { inProgress, done, stuck, waiting } = goBack(
      this.#population,
      this.#progress,
      this.#counts,
      {
        rollout: this.#rollout,
        nowMs: this.#nowMs,
        put: (at, kind, change) => this.#put(at, kind, change),
      },
    );
    this.#back = { inProgress, done, stuck };
    const { phase } = this.#rollout;
    const left = inProgress + waiting;
    if (left > 0 && this.#nowMs < deadlineMs) return this.#wakeAt(deadlineMs);
    const why = "reason" in phase ? phase.reason : "";
    if (left + stuck === 0) this.#enter({ state: "ROLLED_BACK", wave: phase.wave, reason: why });
    else
      this.#enter({
        state: "ROLLBACK_FAILED",
        wave: phase.wave,
        reason: `${why}; ${left + stuck} nodes were not taken back`,
      });
  }

  #forEachStarted(action: (at: number, progress: NodeProgress) => void): void {
    this.#progress.forEach((progress, at) => {
      if (progress !== null) action(at, progress);
    });
  }

  #admit(mayStart: boolean): void {
    const { nodes } = this.#population;
    this.#admission = admit({
      rollout: this.#rollout,
      population: this.#population,
      progress: this.#progress,
      taken: this.#taken,
      counts: this.#counts,
      nowMs: this.#nowMs,
      mayStart,
    });
    const { release } = this.#definition;
    const { started } = this.#admission;
    for (const { at, progress } of started) {
      this.#keep(at, progress);
      const { node = "" } = nodes[at] ?? {};
      this.#decisions.push({ kind: "assign", node, release, progress });
    }
    if (started.length === 0) return;
    this.#wakeAt(this.#nowMs + this.#timeoutMs);
  }

  /** Another state or direction of a node that was started, counted anew. */
  #put(
    at: number,
    kind: "withdraw" | "assign",
    change: NodeProgress["state"] | NodeProgress,
  ): void {
    const before = this.#progress[at];
    const { node = "" } = this.#population.nodes[at] ?? {};
    if (before == null) return;
    const progress = typeof change === "string" ? moved(before, change, this.#nowMs) : change;
    count(this.#counts, this.#population, { at, progress: before, by: -1 });
    count(this.#counts, this.#population, { at, progress });
    this.#keep(at, progress);
    if (kind === "withdraw") this.#decisions.push({ kind, node, progress });
    else if (progress.from !== null)
      this.#decisions.push({ kind, node, release: progress.from, progress });
  }

  #keep(at: number, progress: NodeProgress): void {
    this.#progress[at] = progress;
    this.#taken[at] = standingOf(progress.state) === "void" ? 0 : 1;
  }

  #enter(phase: Phase): void {
    this.#event({ event: "phase", from: this.#rollout.phase.state, to: phase });
    this.#rollout = { ...this.#rollout, phase, sinceMs: this.#nowMs };
  }

  #change(wave: number, parts: Partial<WaveProgress>): void {
    const waves = this.#rollout.waves.map((each, at) =>
      at === wave ? { ...each, ...parts } : each,
    );
    this.#rollout = { ...this.#rollout, waves };
  }

  #event(event: Extract<Decision, { kind: "event" }>["event"]): void {
    this.#decisions.push({ kind: "event", event });
  }

  #deadlineMs(): number {
    return this.#before.startedMs + deadlineOf(this.#definition);
  }

  #wakeAt(ms: number): void {
    this.#wakeMs = Math.min(this.#wakeMs, ms);
  }

  #tally(): RolloutTally {
    const { waiting, already } = this.#admission;
    const { selected } = this.#population;
    return {
      selected: selected.reduce((sum, mark) => sum + mark, 0),
      already,
      waves: this.#counts.waves.map((counted, at) => ({
        name: this.#definition.waves[at]?.name ?? "",
        size: this.#rollout.waves[at]?.size ?? null,
        ...counted,
      })),
      waiting,
      back: this.#back,
    };
  }
}
