import { durationMs } from "#core/duration.ts";
import { randomFrom } from "#core/random-from.ts";
import type { Model, Scenario } from "#generated/fleet/rollout/scenario.ts";
import type { NodeState } from "./node-states.ts";
import { isInProgress, standingOf } from "./node-states.ts";
import type { Decision, NodeProgress, ReleaseName, RolloutNode } from "./rollout.ts";
import { orderOf } from "./update-id.ts";

/** A made-up node; what a rollout sees of it, changed in place as it lives. */
export interface VirtualNode extends RolloutNode {
  online: boolean;
  busy: boolean;
  cordoned: boolean;
  release: ReleaseName | null;
  update: { readonly updateId: string; readonly state: NodeState } | null;
  progress: NodeProgress | null;
}

/** Nodes that live by chance: they go and come, take updates, fail and hang. */
export interface VirtualFleet {
  readonly nodes: readonly VirtualNode[];
  /** When something happens next; `null` when nothing does any more. */
  nextMs(): number | null;
  /**
   * Lets everything happen up to a time, that one included; whether a report came since the last time,
   * or a node.
   */
  advanceTo(nowMs: number): { readonly reported: boolean; readonly came: boolean };
  /** Writes the new progress of a node and tells the node. */
  act(decision: Decision, nowMs: number): void;
}

const defaults = { failures: 0, hangs: 0, offline: 0, share: 1 };
const slotMs = 1_000;

/** What happens to a node; the last one counts when another update has come meanwhile. */
type Happening =
  | { readonly kind: "toggle" }
  | { readonly kind: "state"; readonly updateId: string; readonly state: NodeState };

/** Makes the fleet of a scenario. The same seed makes the same one, and the same lives. */
export function virtualFleet(
  scenario: Scenario,
  {
    count,
    seed,
    startMs,
  }: { readonly count: number; readonly seed: number; readonly startMs: number },
): VirtualFleet {
  return new Fleet(scenario, count, seed, startMs);
}

class Fleet implements VirtualFleet {
  readonly nodes: VirtualNode[] = [];
  readonly #byName = new Map<string, number>();
  readonly #models: Model[] = [];
  readonly #forged: boolean[] = [];
  readonly #chances: (() => number)[] = [];
  /** What a node does, heard of or not; it reports when it is connected. */
  readonly #local: VirtualNode["update"][] = [];
  readonly #given: (Extract<Decision, { kind: "assign" }> | null)[] = [];
  readonly #slots = new Map<number, { readonly at: number; readonly what: Happening }[]>();
  readonly #times: number[] = [];
  #reported = false;
  #came = false;

  constructor(scenario: Scenario, count: number, seed: number, startMs: number) {
    const pick = modelPicker(scenario.models);
    const { name, number } = scenario.rollout.release;
    const before = number > 1 ? { name, number: number - 1 } : null;
    for (let at = 0; at < count; at++) {
      const node = `node-${String(at).padStart(6, "0")}`;
      const chance = randomFrom(orderOf(String(seed), node));
      const model = pick(chance());
      const offline = model.offline ?? defaults.offline;
      this.#byName.set(node, at);
      this.#models.push(model);
      this.#chances.push(chance);
      this.#local.push(null);
      this.#given.push(null);
      this.nodes.push({
        node,
        labels: labelsOf(scenario, chance),
        hardware: model.model,
        platform: "x86_64-linux",
        ...timezoneOf(scenario, chance),
        online: chance() * 100 >= offline,
        cordoned: false,
        busy: false,
        joinedMs: startMs,
        release: before,
        update: null,
        progress: null,
      });
      this.#forged.push(chance() * 100 < (scenario.forged ?? 0));
      if (offline > 0 && offline < 100) this.#toggleLater(at, startMs);
    }
  }

  nextMs(): number | null {
    const slot = this.#times[0];
    return slot === undefined ? null : slot * slotMs;
  }

  advanceTo(nowMs: number): { readonly reported: boolean; readonly came: boolean } {
    for (
      let slot = this.#times[0];
      slot !== undefined && slot * slotMs <= nowMs;
      slot = this.#times[0]
    ) {
      popLeast(this.#times);
      const events = this.#slots.get(slot) ?? [];
      this.#slots.delete(slot);
      for (const { at, what } of events) this.#happen(at, what, slot * slotMs);
    }
    const news = { reported: this.#reported, came: this.#came };
    this.#reported = false;
    this.#came = false;
    return news;
  }

  act(decision: Decision, nowMs: number): void {
    if (decision.kind === "event") return;
    const at = this.#byName.get(decision.node);
    const node = at === undefined ? undefined : this.nodes[at];
    if (at === undefined || node === undefined) return;
    node.progress = decision.progress;
    if (decision.kind === "assign") {
      this.#given[at] = decision;
      if (node.online) this.#receive(at, nowMs);
    } else if (decision.kind === "withdraw") {
      this.#given[at] = null;
      const local = this.#local[at];
      if (local != null && isUntouched(local.state)) this.#say(at, { ...local, state: "CANCELED" });
    }
  }

  #receive(at: number, nowMs: number): void {
    const given = this.#given[at];
    if (given == null) return;
    this.#given[at] = null;
    const { updateId, direction } = given.progress;
    const chance = this.#chances[at] as () => number;
    const model = this.#models[at] as Model;
    const [from, to] = [durationMs(model.takesFrom, 180_000), durationMs(model.takesTo, 900_000)];
    const takesMs = from + chance() * Math.max(0, to - from);
    const luck = chance() * 100;
    const { failures = defaults.failures, hangs = defaults.hangs } = model;
    const tell = (state: NodeState, share: number) =>
      this.#later(at, nowMs + share * takesMs, { kind: "state", updateId, state });
    this.#say(at, { updateId, state: "RECEIVED" });
    if (this.#forged[at] === true) return tell("ROLLED_BACK", 0.1);
    tell("DOWNLOADING", 0.05);
    tell("INSTALLING", 0.6);
    if (luck < hangs) return;
    tell("TESTING", 0.7);
    const fails = direction === "forward" && luck < hangs + failures;
    if (fails) tell("ROLLING_BACK", 0.9);
    tell(fails ? "ROLLED_BACK" : "SUCCEEDED", 1);
  }

  #happen(at: number, what: Happening, nowMs: number): void {
    const node = this.nodes[at] as VirtualNode;
    if (what.kind === "toggle") {
      // A machine that hangs stays away.
      const local = this.#local[at];
      if (!node.online && local?.state === "INSTALLING" && node.update?.state !== "INSTALLING")
        return;
      node.online = !node.online;
      if (node.online) {
        const local = this.#local[at] ?? node.update;
        this.#reported ||= local !== node.update;
        this.#came = true;
        node.update = local;
        this.#receive(at, nowMs);
      }
      return this.#toggleLater(at, nowMs);
    }
    const { updateId, state } = what;
    if (this.#local[at]?.updateId !== updateId || this.#local[at]?.state === "CANCELED") return;
    if (state === "SUCCEEDED" && node.progress?.updateId === updateId) {
      const { direction, from } = node.progress;
      node.release = direction === "back" ? from : this.#target(node);
    }
    this.#say(at, { updateId, state });
  }

  #target({ progress, release }: VirtualNode): ReleaseName | null {
    const from = progress?.from ?? release;
    return from === null ? null : { name: from.name, number: from.number + 1 };
  }

  #say(at: number, update: NonNullable<VirtualNode["update"]>): void {
    this.#local[at] = update;
    const node = this.nodes[at];
    if (node?.online !== true) return;
    node.update = update;
    this.#reported = true;
  }

  #toggleLater(at: number, nowMs: number): void {
    const { offline = defaults.offline, offlineFor } = this.#models[at] as Model;
    const away = durationMs(offlineFor, 8 * 3_600_000);
    const here = (away * (100 - offline)) / offline;
    const mean = this.nodes[at]?.online === true ? here : away;
    const chance = this.#chances[at] as () => number;
    this.#later(at, nowMs + Math.max(slotMs, -Math.log(1 - chance()) * mean), { kind: "toggle" });
  }

  #later(at: number, ms: number, what: Happening): void {
    const slot = Math.ceil(ms / slotMs);
    const known = this.#slots.get(slot);
    if (known === undefined) {
      this.#slots.set(slot, [{ at, what }]);
      pushLeast(this.#times, slot);
    } else known.push({ at, what });
  }
}

function isUntouched(state: NodeState): boolean {
  return isInProgress(state) && standingOf(state) !== "begun";
}

function modelPicker(models: readonly Model[]): (chance: number) => Model {
  const total = models.reduce((sum, { share = defaults.share }) => sum + share, 0);
  return (chance) => {
    let left = chance * total;
    const found = models.find(({ share = defaults.share }) => {
      left -= share;
      return left < 0;
    });
    return found ?? (models[0] as Model);
  };
}

function labelsOf({ labels = {} }: Scenario, chance: () => number): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).map(([key, values]) => {
      const [first] = values;
      if (values.length === 1 && typeof first === "number")
        return [key, `${key}-${Math.floor(chance() * first) + 1}`];
      return [key, String(values[Math.floor(chance() * values.length)])];
    }),
  );
}

function timezoneOf({ timezones = [] }: Scenario, chance: () => number): { timezone?: string } {
  const timezone = timezones[Math.floor(chance() * timezones.length)];
  return timezone === undefined ? {} : { timezone };
}

/** A binary heap of numbers, the least first. */
function pushLeast(heap: number[], value: number): void {
  heap.push(value);
  let at = heap.length - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as number;
    if (above <= value) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = value;
}

function popLeast(heap: number[]): void {
  const value = heap.pop();
  if (value === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && (heap[child + 1] as number) < (heap[child] as number)) child++;
    if ((heap[child] as number) >= value) break;
    heap[at] = heap[child] as number;
    at = child;
  }
  heap[at] = value;
}
