import type { Moves } from "#core/list-moves.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import type { SpecProblem } from "./problem.ts";

/** Rounds of taking out; one that takes nothing out ends it earlier, and so does a spec that fits. */
const maxRounds = 20;

/** Stands in a list for an item that is taken out, until all are known. */
const gone = Symbol("gone");

/** What is left of a value, and how the items of its lists moved, one after the other. */
export interface Kept {
  readonly spec: Spec;
  readonly moves: readonly Moves[];
}

/**
 * Takes everything that has a problem out of the value, and then whatever lacks it, until a spec is
 * left that fits. The value itself is changed.
 */
export function keepValid(
  value: object,
  problems: readonly SpecProblem[],
  check: (value: object) => Spec | readonly SpecProblem[],
): Kept {
  const moves: Moves[] = [];
  let left = problems;
  for (let round = 0; round < maxRounds; round++) {
    for (const { path } of left) takeOut(value, path);
    const moved = new Map<string, readonly (number | undefined)[]>();
    closeLists(value, [], moved);
    if (moved.size > 0) moves.push(moved);
    const spec: Spec = Object.assign(value, { version: 1 as const });
    const checked = check(spec);
    if (!isProblems(checked)) return { spec: checked, moves };
    left = checked;
  }
  for (const key of Object.keys(value)) takeOut(value, [key]);
  return { spec: Object.assign(value, { version: 1 as const }), moves };
}

function isProblems(checked: Spec | readonly SpecProblem[]): checked is readonly SpecProblem[] {
  return Array.isArray(checked);
}

type Container = { [key: string]: unknown } | unknown[];

function takeOut(value: object, path: readonly string[]): void {
  let here: unknown = value;
  for (const part of path.slice(0, -1)) {
    if (!isContainer(here) || !Object.hasOwn(here, part)) return;
    here = (here as { [key: string]: unknown })[part];
  }
  const last = path.at(-1);
  if (last === undefined || !isContainer(here) || !Object.hasOwn(here, last)) return;
  if (Array.isArray(here)) here[Number(last)] = gone;
  else delete here[last];
}

/** `path` is that before anything moved, and so are those of `moved`. */
function closeLists(
  value: unknown,
  path: readonly string[],
  moved: Map<string, readonly (number | undefined)[]>,
): void {
  if (!isContainer(value)) return;
  for (const [key, inner] of Object.entries(value)) closeLists(inner, [...path, key], moved);
  if (Array.isArray(value) && value.includes(gone)) moved.set(path.join("."), closeList(value));
}

function closeList(items: unknown[]): readonly (number | undefined)[] {
  const kept = items.filter((item) => item !== gone);
  let next = 0;
  const indices = items.map((item) => {
    if (item === gone) return undefined;
    next += 1;
    return next - 1;
  });
  for (const [index, item] of kept.entries()) items[index] = item;
  items.length = kept.length;
  return indices;
}

function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}
