import type { Amount } from "#generated/fleet/rollout/definition.ts";

/** A number of `whole`: of a share the whole number below. */
export function atMost(amount: Amount, whole: number): number {
  return typeof amount === "number" ? amount : Math.floor((shareOf(amount) * whole) / 100);
}

/** A number of `whole`, and no more than it has: of a share the whole number above. */
export function atLeast(amount: Amount, whole: number): number {
  const count = typeof amount === "number" ? amount : Math.ceil((shareOf(amount) * whole) / 100);
  return Math.min(count, whole);
}

function shareOf(text: string): number {
  return Number(text.slice(0, -1));
}
