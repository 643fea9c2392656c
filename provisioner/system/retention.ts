import type { Generation } from "./generations.ts";

/** How many generations stay, and for how long. */
export interface RetentionLimits {
  /** The newest ones that stay by their number. */
  readonly keep: number;
  /** Older ones go; `null`: no age is too old. */
  readonly maxAgeMs: number | null;
  /** Further ones go, the oldest first, while the store has less room than this. */
  readonly minFreeBytes: number;
  /** When garbage of the store is collected: where room is missing, always, or never. */
  readonly garbage: "needed" | "always" | "never";
}

/**
 * Why a generation stays whatever the limits say; `the system of 7`: it is the same system as that
 * one, which has such a reason.
 */
export type HeldBy =
  | "runs"
  | "booted"
  | "boot default"
  | "previous good"
  /** What a first boot that is still to come would go back to, where that is another one. */
  | "way back"
  | "pinned"
  | `the system of ${number}`;

/** A generation and what is known of it. */
export interface StandingGeneration extends Generation {
  readonly heldBy: readonly HeldBy[];
  /** It was tried, was not healthy and was left again. */
  readonly rolledBack: boolean;
}

/** Whether a generation stays, and why. */
export interface JudgedGeneration {
  readonly generation: number;
  readonly toplevel: string;
  readonly stays: boolean;
  readonly why: readonly string[];
}

/** What a judgement goes by beside the limits. */
export interface RetentionNow {
  readonly nowMs: number;
  /** So many of those that only the limits keep must go for want of room. */
  readonly forRoom: number;
}

const dayMs = 86_400_000;

/** Judges every generation, oldest first. What is held stays; nothing else is promised to. */
export function judgeGenerations(
  generations: readonly StandingGeneration[],
  limits: Pick<RetentionLimits, "keep" | "maxAgeMs">,
  { nowMs, forRoom }: RetentionNow,
): readonly JudgedGeneration[] {
  let room = forRoom;
  return generations.map(({ generation, toplevel, madeMs, heldBy, rolledBack }, index) => {
    const judged = (stays: boolean, ...why: readonly string[]) => ({
      generation,
      toplevel,
      stays,
      why,
    });
    if (heldBy.length > 0) return judged(true, ...heldBy);
    if (rolledBack) return judged(false, "it was rolled back");
    const rank = generations.length - index;
    if (rank > limits.keep) return judged(false, `not one of the newest ${limits.keep}`);
    if (limits.maxAgeMs !== null && nowMs - madeMs > limits.maxAgeMs) {
      return judged(false, `older than ${Math.floor(limits.maxAgeMs / dayMs)} days`);
    }
    if (room > 0) {
      room -= 1;
      return judged(false, "room is missing in the store");
    }
    return judged(true, `one of the newest ${limits.keep}`);
  });
}
