import type { Change } from "../work.ts";

/**
 * The newest generation other than what runs that needs none of the damaged paths, is whole itself,
 * and was not taken back; `null` where there is none.
 */
export async function wholeGeneration(
  { machine, commands, journal }: Change,
  damaged: readonly string[],
): Promise<number | null> {
  const { store } = commands;
  const bad = new Set(
    journal.ledger.ended.flatMap((t) => (t.outcome === "rolled-back" ? [t.generation] : [])),
  );
  const running = machine.running();
  for (const { generation, toplevel } of [...machine.generations()].reverse()) {
    if (toplevel === running || bad.has(generation) || !machine.inStore(toplevel)) continue;
    const needed = await store.closures([toplevel]);
    if (needed.some((path) => damaged.includes(path))) continue;
    if ((await store.corruptPaths(needed)).length === 0) return generation;
  }
  return null;
}
