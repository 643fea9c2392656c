import { Fault, type FaultRecord } from "#core/fault.ts";
import { readBootId } from "#core/io.ts";
import type { Command } from "#protocol/trust/command.ts";
import type { GenerationRecord, SystemStatus } from "#provisioner/system/system.ts";
import type { CommandNote, CommandResult } from "./command-work.ts";
import { afterRestart, type CommandDeps, type Executor, type Order } from "./executor.ts";

/**
 * Back to a generation that was committed on this machine and is not revoked, through the same trial as any
 * change. The journal says whether it was done, so that it is not done twice.
 */
export const rollback: Executor = {
  ...{ isQuick: false, knows: ["generation"], prepare, carryOut },
  async hasDoneNothing(_order, { system }) {
    const { state, reason } = await system.status();
    return isIdle(state) || reason?.by !== "rollback";
  },
};

/** Whether there is no trial, so that one may be begun. */
function isIdle(state: SystemStatus["state"]): boolean {
  return state === "none" || state === "building" || state === "built";
}

async function prepare(
  { arguments: { generation: wanted } }: Command,
  { io, system, checkRelease }: CommandDeps,
): Promise<CommandNote> {
  const { generations, trials } = await system.history();
  const found = chosen(generations, wanted);
  checkRelease(found);
  const { generation, toplevel } = found;
  const after = trials.at(-1)?.transaction ?? null;
  return { generation, toplevel, after, bootId: readBootId(io.files) };
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
  const { io, system } = deps;
  const { state, reason, transaction } = await system.status();
  if (!isIdle(state)) {
    const isOwn = reason?.by === "rollback";
    if (isOwn && (await system.runs("")).restart) {
      await system.restart();
      return afterRestart;
    }
    // A boot judges what it finds; only what this command has begun in this boot was left by its own process.
    if (!isOwn || order.note["bootId"] !== readBootId(io.files))
      throw new Fault("system/locked", `the trial ${transaction} is under way`);
  }
  const outcome = await deps.rollBack(order.note["generation"] as number);
  if (outcome.restart) {
    await system.restart();
    return afterRestart;
  }
  if (outcome.outcome === "unchanged") return runs(system);
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
  if (own.result === "committed") return runs(system);
  throw new Fault("command/taken-back", own.reasons.join("; ") || "it was not healthy");
}

/** After a power cut in the middle of its commit it is the boot default, and what runs is another for this boot. */
async function runs(system: CommandDeps["system"]): Promise<CommandResult> {
  const { running, bootDefault } = await system.status();
  return { generation: bootDefault.generation, toplevel: running };
}

function faultOf(fault: FaultRecord | null): Fault | undefined {
  return fault === null ? undefined : new Fault(fault.code, fault.message);
}
