import type { Generation } from "../generations.ts";
import { isRolledBack } from "../history.ts";
import type { Change } from "../work.ts";

/**
 * The newest generation other than what runs that needs none of the damaged paths, is whole itself,
 * was not taken back and did not fail in a boot of its own; `null` where there is none.
 */
export async function wholeGeneration(
  { machine, commands, journal }: Change,
  damaged: readonly string[],
): Promise<number | null> {
  const { store } = commands;
  const { ended, proof } = journal.ledger;
  const running = machine.running();
  const isBad = (made: Generation) =>
    proof?.failed.includes(made.toplevel) === true ||
    ended.some((trial) => isRolledBack(trial, made));
  for (const made of [...machine.generations()].reverse()) {
    const { generation, toplevel } = made;
    if (toplevel === running || isBad(made) || !machine.inStore(toplevel)) continue;
    const needed = await store.closures([toplevel]);
    if (needed.some((path) => damaged.includes(path))) continue;
    if ((await store.corruptPaths(needed)).length === 0) return generation;
  }
  return null;
}
