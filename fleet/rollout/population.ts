import type { RolloutDefinition } from "#generated/fleet/rollout/definition.ts";
import { matches, parseSelector, valueOfKey } from "../registry/selector.ts";
import { type RolloutNode, unknownModel } from "./rollout.ts";
import { orderOf } from "./update-id.ts";

/** Nodes by the value of a label. */
export interface Grouping {
  /** Number of each node's group. */
  readonly of: Int32Array;
  readonly names: readonly string[];
  /** Nodes in each group. */
  readonly sizes: Int32Array;
}

/**
 * The nodes in the order of a rollout, with everything that only labels and names decide. What a
 * node does meanwhile is read from the node each time, so that a simulation makes it once.
 */
export interface Population {
  readonly nodes: readonly RolloutNode[];
  /** 1 for the nodes that the rollout is for. */
  readonly selected: Uint8Array;
  readonly models: Grouping;
  /** By wave: 1 for the nodes that it may take; `null` when those are all. */
  readonly waves: readonly (Uint8Array | null)[];
  /** In the order of the definition's `budgets`, then of its `oneAtATime`. */
  readonly groups: readonly Grouping[];
}

/** Brings nodes into the order of a rollout; in whichever order they come. Throws `selector/invalid`. */
export function populationOf(
  definition: RolloutDefinition,
  unordered: readonly RolloutNode[],
): Population {
  const nodes = inOrder(definition.name, unordered);
  const marks = (text: string) => {
    const selector = parseSelector(text);
    return Uint8Array.from(nodes, (node) => (matches(selector, node) ? 1 : 0));
  };
  const selected = marks(definition.select);
  const group = (key: string) => groupingOf(nodes, selected, (node) => valueOfKey(key, node) ?? "");
  const labels = [
    ...(definition.budgets ?? []).map(({ by }) => by),
    ...(definition.oneAtATime ?? []),
  ];
  return {
    nodes,
    selected,
    models: groupingOf(nodes, selected, ({ hardware }) => hardware ?? unknownModel),
    waves: definition.waves.map(({ select }) => (select === undefined ? null : marks(select))),
    groups: labels.map(group),
  };
}

function inOrder(rollout: string, nodes: readonly RolloutNode[]): readonly RolloutNode[] {
  const keyed = nodes.map((node) => ({ node, order: orderOf(rollout, node.node) }));
  keyed.sort((a, b) => a.order - b.order || (a.node.node < b.node.node ? -1 : 1));
  return keyed.map(({ node }) => node);
}

function groupingOf(
  nodes: readonly RolloutNode[],
  selected: Uint8Array,
  nameOf: (node: RolloutNode) => string,
): Grouping {
  const numbers = new Map<string, number>();
  const names: string[] = [];
  const of = Int32Array.from(nodes, (node) => {
    const name = nameOf(node);
    const known = numbers.get(name);
    if (known !== undefined) return known;
    numbers.set(name, names.length);
    return names.push(name) - 1;
  });
  const sizes = new Int32Array(names.length);
  of.forEach((number, at) => {
    if (selected[at] === 1) sizes[number] = (sizes[number] ?? 0) + 1;
  });
  return { of, names, sizes };
}
