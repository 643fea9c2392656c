import { findPreviousGood, isRolledBack, provedBefore, readTrials } from "./history.ts";
import { pinnedGenerations } from "./pinned-generations.ts";
import type { HeldBy, StandingGeneration } from "./retention.ts";
import { generationOf, type Work } from "./work.ts";

/** Every generation with what holds it: read from the machine and the journal, nothing is changed. */
export function standingGenerations(work: Work): readonly StandingGeneration[] {
  const { machine } = work;
  const generations = machine.generations();
  const trials = readTrials(work);
  const pinned = new Set(pinnedGenerations(work).map(({ generation }) => generation));
  const previous = findPreviousGood(work)?.generation;
  const proved = provedBefore(work);
  const [running, booted, profile] = [machine.running(), machine.booted(), machine.profile()];
  const named = [running, booted, profile.toplevel, proved].map((toplevel) => ({
    toplevel,
    generation: generationOf(work, toplevel),
  }));
  return generations.map((made) => {
    const { generation, toplevel } = made;
    const [runs, wasBooted, isDefault, isProved] = named.map(
      (one) => one.generation === generation,
    );
    // Once more under another number: what holds it is said of one of them.
    const again = named.find((one) => one.toplevel === toplevel && one.generation !== generation);
    const isOwn = runs || wasBooted || isDefault || isProved;
    const holds: readonly (readonly [HeldBy, boolean | undefined])[] = [
      ["runs", runs],
      ["booted", wasBooted],
      ["boot default", isDefault || generation === profile.generation],
      ["previous good", generation === previous],
      ["way back", isProved && generation !== previous],
      [`the system of ${again?.generation ?? 0}`, again !== undefined && !isOwn],
      ["pinned", pinned.has(generation)],
    ];
    return {
      ...made,
      heldBy: holds.flatMap(([by, is]) => (is ? [by] : [])),
      rolledBack: trials.some((trial) => isRolledBack(trial, made)),
    };
  });
}
