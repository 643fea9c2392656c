import type { RolloutDefinition } from "#generated/fleet/rollout/definition.ts";
import { newRollout } from "./commands.ts";
import type { NodeState } from "./node-states.ts";
import { reconcile, type Step } from "./reconcile.ts";
import type { Decision, NodeProgress, Rollout, RolloutEvent, RolloutNode } from "./rollout.ts";

/** A Monday, in UTC. */
export const mondayMs = Date.UTC(2026, 0, 5, 8);
export const minuteMs = 60_000;

/** A definition for tests: all nodes in one wave, but for what is said. */
export function definitionOf(parts: Partial<RolloutDefinition> = {}): RolloutDefinition {
  return {
    version: 1,
    name: "web-7",
    release: { name: "web", number: 7 },
    select: "*",
    waves: [{ name: "wide" }],
    ...parts,
  };
}

/** A node for tests that is connected and has the release before. */
export function nodeOf(node: string, parts: Partial<RolloutNode> = {}): RolloutNode {
  return {
    ...{ node, labels: {}, hardware: "acme/box", online: true, cordoned: false, busy: false },
    ...{ joinedMs: 0, release: { name: "web", number: 6 }, update: null, progress: null },
    ...parts,
  };
}

export function nodesOf(count: number, parts: Partial<RolloutNode> = {}): readonly RolloutNode[] {
  return Array.from({ length: count }, (_, at) => nodeOf(`n${at}`, parts));
}

/** A rollout over nodes that say what a test has them say. */
export class FakeRollout {
  rollout: Rollout;
  nowMs = mondayMs;
  last: Step | undefined;
  readonly nodes: Map<string, RolloutNode>;
  readonly events: RolloutEvent[] = [];

  constructor(definition: RolloutDefinition, nodes: readonly RolloutNode[]) {
    this.rollout = newRollout(definition, this.nowMs);
    this.nodes = new Map(nodes.map((node) => [node.node, node]));
  }

  /** Lets time pass and makes one step; what it decided is written, as the server does. */
  step(afterMs = minuteMs): readonly Decision[] {
    this.nowMs += afterMs;
    this.last = reconcile(this.rollout, [...this.nodes.values()], this.nowMs);
    this.rollout = this.last.rollout;
    for (const decision of this.last.decisions) {
      if (decision.kind === "event") this.events.push(decision.event);
      else this.change(decision.node, { progress: decision.progress });
    }
    return this.last.decisions;
  }

  change(name: string, parts: Partial<RolloutNode>): void {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`there is no ${name}`);
    this.nodes.set(name, { ...node, ...parts });
  }

  /** A node says where it stands with what it was given last. */
  say(name: string, state: NodeState): void {
    const { updateId = "" } = this.nodes.get(name)?.progress ?? {};
    this.change(name, { update: { updateId, state } });
  }

  /** Whoever is in progress says so. */
  sayAll(state: NodeState): void {
    for (const name of this.inProgress()) this.say(name, state);
  }

  inProgress(): readonly string[] {
    return this.#having(
      ({ state }) =>
        !/^(?:SUCCEEDED|FAILED|ROLLED_BACK|ROLLBACK_FAILED|REJECTED|TIMED_OUT|CANCELED|UNREACHED|SUPERSEDED)$/.test(
          state,
        ),
    );
  }

  in(state: NodeState): readonly string[] {
    return this.#having((progress) => progress.state === state);
  }

  get phase(): Rollout["phase"] {
    return this.rollout.phase;
  }

  #having(fits: (progress: NodeProgress) => boolean): readonly string[] {
    return [...this.nodes.values()]
      .filter(({ progress }) => progress !== null && fits(progress))
      .map(({ node }) => node);
  }
}
