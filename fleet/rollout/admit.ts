import { atLeast } from "./amount.ts";
import { maxAttempts } from "./hear.ts";
import type { Population } from "./population.ts";
import type { NodeProgress, Rollout, RolloutNode, WaitingReason } from "./rollout.ts";
import {
  type Counts,
  count,
  forgivenGroups,
  forgivenModels,
  hasPlace,
  startedOf,
} from "./tally.ts";
import { updateIdOf } from "./update-id.ts";
import { windowCheck } from "./windows.ts";

/** What a round of starting came to. */
export interface Admission {
  readonly started: readonly { readonly at: number; readonly progress: NodeProgress }[];
  /** Nodes that were not started, by why not. */
  readonly waiting: Readonly<Partial<Record<WaitingReason, number>>>;
  readonly already: number;
}

/** What a round is made from. */
export interface AdmissionInput {
  readonly rollout: Rollout;
  readonly population: Population;
  /** Progress of each node, by its number. */
  readonly progress: readonly (NodeProgress | null)[];
  /** 1 for the nodes that were started and count; kept apart because each step goes through all. */
  readonly taken: Uint8Array;
  readonly counts: Counts;
  readonly nowMs: number;
  /** Whether nodes are started, or only counted. */
  readonly mayStart: boolean;
}

/**
 * Starts the nodes of the current wave that may be, in the order of the rollout, and says of every other
 * node why it waits. The counts follow.
 */
export function admit(input: AdmissionInput): Admission {
  const { rollout, population, progress, taken, counts, nowMs, mayStart } = input;
  const { definition, phase } = rollout;
  const started: { at: number; progress: NodeProgress }[] = [];
  const waiting: Partial<Record<WaitingReason, number>> = {};
  let already = 0;
  const whyNot = reasons(input);
  for (let at = 0; at < population.nodes.length; at++) {
    if (population.selected[at] !== 1 || taken[at] === 1) continue;
    const before = progress[at] ?? null;
    const node = population.nodes[at] as RolloutNode;
    if (hasRelease(node, rollout)) {
      already++;
      continue;
    }
    const reason = whyNot(at, node) ?? (mayStart ? undefined : "later");
    if (reason !== undefined) {
      waiting[reason] = (waiting[reason] ?? 0) + 1;
      continue;
    }
    const next = startOf(node, before, { rollout: definition.name, wave: phase.wave, nowMs });
    count(counts, population, { at, progress: next });
    started.push({ at, progress: next });
  }
  return { started, waiting, already };
}

/** Whether a node has what is rolled out without having been started, or after it was let go. */
export function hasRelease({ release }: RolloutNode, { definition }: Rollout): boolean {
  return (
    release !== null &&
    release.name === definition.release.name &&
    release.number === definition.release.number
  );
}

/** How many nodes a wave may take; decided as it begins, offline ones counted. */
export function sizeOfWave(
  { rollout, population, taken }: Pick<AdmissionInput, "rollout" | "population" | "taken">,
  wave: number,
): number {
  const { perModel, size } = rollout.definition.waves[wave] ?? {};
  const ofModel = new Int32Array(population.models.names.length);
  let [selected, fits] = [0, 0];
  for (let at = 0; at < population.nodes.length; at++) {
    const node = population.nodes[at] as RolloutNode;
    if (population.selected[at] !== 1 || node.cordoned) continue;
    selected++;
    if (taken[at] === 1 || !isInWave(population, wave, at) || hasRelease(node, rollout)) continue;
    const model = population.models.of[at] ?? 0;
    const has = ofModel[model] ?? 0;
    if (perModel !== undefined && has >= perModel) continue;
    ofModel[model] = has + 1;
    fits++;
  }
  return size === undefined ? fits : Math.min(fits, Math.max(1, atLeast(size, selected)));
}

function isInWave({ waves }: Population, wave: number, at: number): boolean {
  const marks = waves[wave] ?? null;
  return marks === null || marks[at] === 1;
}

function startOf(
  node: RolloutNode,
  before: NodeProgress | null,
  {
    rollout,
    wave,
    nowMs,
  }: { readonly rollout: string; readonly wave: number; readonly nowMs: number },
): NodeProgress {
  const tries = { attempt: (before?.attempt ?? 0) + 1, direction: "forward" } as const;
  const from = before?.from ?? node.release;
  return {
    ...{ wave, ...tries, updateId: updateIdOf(rollout, node.node, tries) },
    ...{ state: "ASSIGNED", sinceMs: nowMs, activeMs: nowMs, from },
  };
}

type WhyNot = (at: number, node: RolloutNode) => WaitingReason | undefined;

function reasons({ rollout, population, progress, counts, nowMs }: AdmissionInput): WhyNot {
  const { definition, phase, startedMs, waves } = rollout;
  const { wave } = phase;
  const converges = phase.state === "CONVERGING";
  const ofWave = counts.waves[wave];
  const { perModel } = definition.waves[wave] ?? {};
  const size = converges ? null : (waves[wave]?.size ?? null);
  const isLast = wave === definition.waves.length - 1;
  const ofModel = modelReasons(rollout, population, counts);
  const isGroupHeld = heldGroups(rollout, population, counts);
  const isOpen = windowCheck(definition.windows, nowMs);
  const { maxInProgress = Number.POSITIVE_INFINITY, lateJoiners = true } = definition;
  return (at, node) => {
    if (node.cordoned) return "cordoned";
    if (!lateJoiners && node.joinedMs > startedMs) return "late-joiner";
    if ((progress[at]?.attempt ?? 0) >= maxAttempts) return "held";
    const model = population.models.of[at] ?? 0;
    if (!isInWave(population, wave, at)) return "later";
    // Who comes while the last wave runs belongs to it as well.
    if (!isLast && size !== null && ofWave !== undefined && startedOf(ofWave) >= size)
      return "later";
    if (perModel !== undefined && (counts.startedOfModel[wave]?.[model] ?? 0) >= perModel)
      return "later";
    if (!node.online) return "offline";
    if (node.busy) return "busy";
    const held = ofModel(model);
    if (held !== undefined) return held;
    if (isGroupHeld(at)) return "held";
    if (!isOpen(node.timezone)) return "window";
    if (counts.inProgress >= maxInProgress || !hasPlace(counts, population, at)) return "budget";
    return undefined;
  };
}

/**
 * Whether the model of a node keeps it back: held for its failures, or unproved. After the wave of
 * canaries a model goes on when as many of its first nodes have succeeded as that wave asks for. Of a
 * model that had none there, so many are its canaries first.
 */
function modelReasons(
  rollout: Rollout,
  population: Population,
  { models }: Counts,
): (model: number) => WaitingReason | undefined {
  const { definition, phase, heldModels } = rollout;
  const held = new Set(heldModels);
  const canaries = definition.waves.findIndex(({ perModel }) => perModel !== undefined);
  const { perModel = 0, success = "95%" } = definition.waves[canaries] ?? {};
  const forgiven = forgivenModels(rollout, population);
  return (model) => {
    if (held.has(population.models.names[model] ?? "")) return "held";
    if (canaries === -1 || phase.wave <= canaries) return undefined;
    const [inProgress, succeeded, failed] = [
      models.inProgress[model] ?? 0,
      models.succeeded[model] ?? 0,
      models.failed[model] ?? 0,
    ];
    const first = Math.min(perModel, population.models.sizes[model] ?? 0);
    if (succeeded + (forgiven[model] ?? 0) >= atLeast(success, first)) return undefined;
    if (inProgress + succeeded + failed < first) return undefined;
    return inProgress > 0 ? "canary" : "held";
  };
}

function heldGroups(rollout: Rollout, population: Population, { groups }: Counts) {
  const forgiven = forgivenGroups(rollout, population);
  return (at: number): boolean =>
    forgiven.some((of, index) => {
      if (of === null) return false;
      const group = population.groups[index]?.of[at] ?? 0;
      return (groups[index]?.failed[group] ?? 0) > (of[group] ?? 0);
    });
}
