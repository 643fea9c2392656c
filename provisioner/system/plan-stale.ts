import { Fault } from "#core/fault.ts";

/** Digits of a digest that tell one plan from the others that are kept. */
const shownDigits = 12;

/** That what was approved is not what would be done: `told` says what differs. */
export function planStale(approved: string, told: string): Fault<"system/plan-stale"> {
  return new Fault(
    "system/plan-stale",
    `expected the plan ${approved.slice(0, shownDigits)}…: ${told}`,
    { hint: "look at what `firstlight plan` shows now, and approve that" },
  );
}
