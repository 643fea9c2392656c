import { type DriftRound, type DriftRoundOptions, driftRound } from "#agent/drift-round.ts";
import type { Invocation } from "./command.ts";
import { nodeProbe, openSystem } from "./node.ts";
import { bootOutbox } from "./outbox.ts";
import { endWith } from "./restart.ts";
import { version } from "./version.ts";

/** One look at the whole machine, by the daemon or for the fleet, told as a boot tells what it found; may end in a restart. */
export async function lookForDrift(
  invocation: Invocation,
  options: DriftRoundOptions,
): Promise<DriftRound> {
  const { io, log, signal } = invocation;
  const system = await openSystem(invocation);
  const { report, flush } = bootOutbox(invocation, system);
  const probe = nodeProbe(invocation);
  const deps = { io, log, system, probe, signal, report, version };
  const round = await driftRound(deps, options).finally(flush);
  if (round.outcome?.restart === true) await endWith(round.outcome, invocation, system);
  return round;
}
