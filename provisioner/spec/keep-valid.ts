import type { Spec } from "#generated/provisioner/spec/v1.ts";
import type { SpecProblem } from "./problem.ts";

/** Rounds of taking out; one that takes nothing out ends it earlier, and so does a spec that fits. */
const maxRounds = 20;

/** Stands in a list for an item that is taken out, until all are known. */
const gone = Symbol("gone");

/**
 * Takes everything that has a problem out of the value, and then whatever lacks it, until a spec is
 * left that fits. The value itself is changed.
 */
export function keepValid(
  value: object,
  problems: readonly SpecProblem[],
  check: (value: object) => Spec | readonly SpecProblem[],
): Spec {
  let left = problems;
  for (let round = 0; round < maxRounds; round++) {
    for (const { path } of left) takeOut(value, path);
    closeLists(value);
    const spec: Spec = Object.assign(value, { version: 1 as const });
    const checked = check(spec);
    if (!isProblems(checked)) return checked;
    left = checked;
  }
  for (const key of Object.keys(value)) takeOut(value, [key]);
  return Object.assign(value, { version: 1 as const });
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

function closeLists(value: unknown): void {
  if (!isContainer(value)) return;
  if (Array.isArray(value)) closeList(value);
  for (const inner of Object.values(value)) closeLists(inner);
}

function closeList(items: unknown[]): void {
  let length = 0;
  for (const item of items) {
    if (item === gone) continue;
    items[length] = item;
    length += 1;
  }
  items.length = length;
}

function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}
