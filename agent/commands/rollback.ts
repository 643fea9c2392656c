import { Fault, type FaultRecord } from "#core/fault.ts";
import type { Command } from "#protocol/trust/command.ts";
import type { GenerationRecord } from "#provisioner/system/system.ts";
import type { CommandNote, CommandResult } from "./command-work.ts";
import { afterRestart, type CommandDeps, type Executor, type Order } from "./executor.ts";

/**
 * Back to a generation that was committed on this machine and is not revoked, through the same trial as any
 * change. The journal says whether it was done, so that it is not done twice.
 */
export const rollback: Executor = { isQuick: false, knows: ["generation"], prepare, carryOut };

async function prepare(
  { arguments: { generation: wanted } }: Command,
  { system, checkRelease }: CommandDeps,
): Promise<CommandNote> {
  const { generations, trials } = await system.history();
  const found = chosen(generations, wanted);
  checkRelease(found);
  const { generation, toplevel } = found;
  return { generation, toplevel, after: trials.at(-1)?.transaction ?? null };
}

function chosen(generations: readonly GenerationRecord[], wanted: unknown) {
  if (wanted !== undefined && !(Number.isSafeInteger(wanted) && (wanted as number) > 0))
    throw new Fault("command/argument-invalid", "generation: expected a number from 1 on");
  const found = generations.findLast((each) =>
    wanted === undefined ? each.previousGood : each.generation === wanted,
  );
  const what = wanted === undefined ? "the previous generation" : `generation ${wanted}`;
  if (found?.generation == null)
    throw new Fault("system/generation-unknown", `${what} is not on this machine`);
  if (found.outcome !== "committed" && !found.previousGood)
    throw new Fault("command/not-committed", `${what} was not committed by firstlight`);
  return found;
}

async function carryOut(
  order: Order,
  deps: CommandDeps,
): Promise<CommandResult | typeof afterRestart> {
  const before = await ended(order, deps);
  if (before !== undefined) return before;
  const { system } = deps;
  const { state, reason } = await system.status();
  if (state !== "none" && reason?.by === "rollback" && (await system.runs("")).restart) {
    await system.restart();
    return afterRestart;
  }
  const outcome = await deps.rollBack(order.note["generation"] as number);
  if (outcome.restart) {
    await system.restart();
    return afterRestart;
  }
  if (outcome.outcome === "unchanged") return runs(outcome);
  const after = await ended(order, deps);
  if (after !== undefined) return after;
  throw faultOf(outcome.fault) ?? new Fault("command/failed", outcome.message);
}

/** How the trial of this command ended, by the journal; `undefined` where it has not. */
async function ended({ note }: Order, { system }: CommandDeps): Promise<CommandResult | undefined> {
  const { trials } = await system.history();
  const since = trials.findIndex(({ transaction }) => transaction === note["after"]) + 1;
  const own = trials
    .slice(since)
    .findLast(({ by, toplevel }) => by === "rollback" && toplevel === note["toplevel"]);
  if (own === undefined) return undefined;
  if (own.result === "committed") return runs(own);
  throw new Fault("command/taken-back", own.reasons.join("; ") || "it was not healthy");
}

function runs({
  generation,
  toplevel,
}: {
  readonly generation: number | null;
  readonly toplevel: string | null;
}): CommandResult {
  return { generation, toplevel };
}

function faultOf(fault: FaultRecord | null): Fault | undefined {
  return fault === null ? undefined : new Fault(fault.code, fault.message);
}
