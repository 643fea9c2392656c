import { findPreviousGood, isRolledBack, provedBefore, readTrials } from "./history.ts";
import { pinnedGenerations } from "./pinned-generations.ts";
import type { HeldBy, StandingGeneration } from "./retention.ts";
import type { Work } from "./work.ts";

/** Every generation with what holds it: read from the machine and the journal, nothing is changed. */
export function standingGenerations(work: Work): readonly StandingGeneration[] {
  const { machine } = work;
  const generations = machine.generations();
  const trials = readTrials(work);
  const pinned = new Set(pinnedGenerations(work).map(({ generation }) => generation));
  const previous = findPreviousGood(work)?.generation;
  const proved = provedBefore(work);
  const [running, booted, profile] = [machine.running(), machine.booted(), machine.profile()];
  return generations.map((made) => {
    const { generation, toplevel } = made;
    const holds: readonly (readonly [HeldBy, boolean])[] = [
      ["runs", toplevel === running],
      ["booted", toplevel === booted],
      ["boot default", generation === profile.generation || toplevel === profile.toplevel],
      ["previous good", generation === previous || toplevel === proved],
      ["pinned", pinned.has(generation)],
    ];
    return {
      ...made,
      heldBy: holds.flatMap(([by, is]) => (is ? [by] : [])),
      rolledBack: trials.some((trial) => isRolledBack(trial, made)),
    };
  });
}
