/**
 * Units that say nothing of a release, because they are part of how it is tried and judged: the boot,
 * which is tried again on purpose, what waits for it, an update or a command of the fleet that waits until
 * the change is over, and what a change runs in units of its own, the end of which is told in other ways. A command of the spec takes no system back: it may have done half of
 * what no rollback undoes. Every other unit of firstlight counts as any unit does: a release that breaks
 * the agent is not healthy.
 */
const ofChanges =
  /^firstlight-((boot|update|fleet-commands)\.|(back|boot|build|command|evaluate|hook|run|switch|way-back)-)/;

/** Whether a unit belongs to trying and judging a change, so that nobody blames the change for it. */
export function isOfChange(unit: string): boolean {
  return ofChanges.test(unit);
}
