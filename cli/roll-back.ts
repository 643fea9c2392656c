import { exitCodeOf } from "#agent/outcome.ts";
import { rollBackTo } from "#agent/roll-back.ts";
import { prettyJson } from "#core/canonical-json.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { Invocation } from "./command.ts";
import { nodeProbe } from "./node.ts";
import { bootOutbox } from "./outbox.ts";
import { outcomeText } from "./outcome-text.ts";
import { endWith } from "./restart.ts";
import { version } from "./version.ts";

/** Where to go back to. */
interface RollingBack {
  readonly system: SystemClient;
  /** `null`: the previous good one. */
  readonly generation: number | null;
}

/** Goes back through a trial and tells how that ended; the exit code. Throws `system/generation-unknown`. */
export async function rollBack(
  invocation: Invocation,
  { system, generation }: RollingBack,
): Promise<number> {
  const { io, log, json, out, signal } = invocation;
  const outbox = bootOutbox(invocation, system);
  const { report } = outbox;
  const probe = nodeProbe(invocation);
  const outcome = await rollBackTo({ io, log, system, probe, signal, report, version }, generation);
  await outbox.flush();
  out.data(json ? prettyJson({ ...outcome, exitCode: exitCodeOf(outcome) }) : outcomeText(outcome));
  return endWith(outcome, invocation, system);
}
