import { isFault } from "#core/fault.ts";
import { checkRoom } from "./preflight.ts";
import { checkMemory } from "./swap.ts";
import type { Work } from "./work.ts";

/**
 * Why a build here would be refused, with the numbers, by what is known without starting a process;
 * `null` where nothing known so far speaks against it.
 */
export function buildObstacle(work: Work): string | null {
  try {
    checkRoom(work);
    checkMemory(work);
    return null;
  } catch (error) {
    if (isFault(error)) return error.message;
    throw error;
  }
}
