import type { RolloutDefinition } from "#generated/fleet/rollout/definition.ts";
import { atMost } from "./amount.ts";
import { isInProgress, standingOf } from "./node-states.ts";
import type { Population } from "./population.ts";
import type { NodeProgress, Rollout } from "./rollout.ts";

/** Nodes of one wave; who ended without a word on the release is not among them. */
export interface WaveCount {
  inProgress: number;
  succeeded: number;
  failed: number;
}

/** All that a step counts, by the numbers of waves, models and groups. Changed as nodes are started. */
export interface Counts {
  inProgress: number;
  succeeded: number;
  readonly waves: readonly WaveCount[];
  /** Nodes that each wave has started, by model. */
  readonly startedOfModel: readonly Int32Array[];
  readonly models: {
    readonly inProgress: Int32Array;
    readonly succeeded: Int32Array;
    readonly failed: Int32Array;
  };
  readonly groups: readonly {
    readonly inProgress: Int32Array;
    readonly failed: Int32Array;
    /** Most at once, by group. */
    readonly max: Int32Array;
    readonly countOffline: boolean;
  }[];
}

export function emptyCounts(definition: RolloutDefinition, population: Population): Counts {
  const models = population.models.names.length;
  const budgets = definition.budgets ?? [];
  return {
    inProgress: 0,
    succeeded: 0,
    waves: definition.waves.map(() => ({ inProgress: 0, succeeded: 0, failed: 0 })),
    startedOfModel: definition.waves.map(() => new Int32Array(models)),
    models: {
      inProgress: new Int32Array(models),
      succeeded: new Int32Array(models),
      failed: new Int32Array(models),
    },
    groups: population.groups.map(({ names, sizes }, at) => {
      const max = budgets[at]?.max ?? 1;
      return {
        inProgress: new Int32Array(names.length),
        failed: new Int32Array(names.length),
        max: sizes.map((size) => Math.max(1, atMost(max, size))),
        countOffline: budgets[at]?.countOffline === true,
      };
    }),
  };
}

/** Counts one node, or with `by` -1 takes it out again. */
export function count(
  counts: Counts,
  population: Population,
  {
    at,
    progress,
    by = 1,
  }: { readonly at: number; readonly progress: NodeProgress; readonly by?: 1 | -1 },
): void {
  const { state, wave, direction } = progress;
  const standing = standingOf(state);
  if (isInProgress(state)) {
    counts.inProgress += by;
    occupy(counts, population, { at, by });
  }
  if (direction === "back" || standing === "void") return;
  const model = population.models.of[at] ?? 0;
  const ofWave = counts.waves[wave];
  add(counts.startedOfModel[wave], model, by);
  if (standing === "succeeded") {
    counts.succeeded += by;
    add(counts.models.succeeded, model, by);
    if (ofWave !== undefined) ofWave.succeeded += by;
  } else if (standing === "failed") {
    add(counts.models.failed, model, by);
    counts.groups.forEach(({ failed }, index) => {
      add(failed, population.groups[index]?.of[at] ?? 0, by);
    });
    if (ofWave !== undefined) ofWave.failed += by;
  } else {
    add(counts.models.inProgress, model, by);
    if (ofWave !== undefined) ofWave.inProgress += by;
  }
}

/** A node that takes a place in its groups, whatever is in progress on it. */
export function occupy(
  counts: Counts,
  population: Population,
  {
    at,
    by = 1,
    offline = false,
  }: { readonly at: number; readonly by?: 1 | -1; readonly offline?: boolean },
): void {
  counts.groups.forEach(({ inProgress, countOffline }, index) => {
    if (!offline || countOffline) add(inProgress, population.groups[index]?.of[at] ?? 0, by);
  });
}

/** Whether each group of a node has a place left. */
export function hasPlace({ groups }: Counts, population: Population, at: number): boolean {
  for (let index = 0; index < groups.length; index++) {
    const group = population.groups[index]?.of[at] ?? 0;
    const { inProgress, max } = groups[index] as Counts["groups"][number];
    if ((inProgress[group] ?? 0) >= (max[group] ?? 1)) return false;
  }
  return true;
}

/** Nodes that a wave has started and that count. */
export function startedOf({ inProgress, succeeded, failed }: WaveCount): number {
  return inProgress + succeeded + failed;
}

/** Models that a person has forgiven failures, as numbers. */
export function forgivenModels({ forgiven }: Rollout, { models }: Population): Int32Array {
  return Int32Array.from(models.names, (name) => ownCount(forgiven.models, name));
}

/** The same of the groups that go one at a time. */
export function forgivenGroups(
  { definition, forgiven }: Rollout,
  { groups }: Population,
): readonly (Int32Array | null)[] {
  const budgets = definition.budgets?.length ?? 0;
  return groups.map(({ names }, at) =>
    at < budgets
      ? null
      : Int32Array.from(names, (name) => ownCount(forgiven.groups[at - budgets] ?? {}, name)),
  );
}

function ownCount(counts: Readonly<Record<string, number>>, name: string): number {
  return Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0;
}

function add(array: Int32Array | undefined, at: number, by: number): void {
  if (array !== undefined) array[at] = (array[at] ?? 0) + by;
}
