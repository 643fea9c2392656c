import type { Outcome } from "#agent/outcome.ts";
import { exitCodeOf, exitCodeOfFault } from "#agent/outcome.ts";
import { describeFault } from "#core/fault.ts";
import type { Invocation } from "./command.ts";
import { openSystem } from "./node.ts";

/**
 * Restarts the machine where an outcome asks for it, once all that is to be told is written. Gives
 * back the exit code; a machine that does not restart is told, and asked again by the next start.
 */
export async function endWith(outcome: Outcome, invocation: Invocation): Promise<number> {
  if (!outcome.restart) return exitCodeOf(outcome);
  const { log, out } = invocation;
  out.talk("the machine is being restarted");
  try {
    const { how } = await (await openSystem(invocation)).restart();
    log.info("machine.restarting", { how });
    return exitCodeOf(outcome);
  } catch (error) {
    const fault = describeFault(error);
    log.error("machine.not-restarted", { code: fault.code, message: fault.message });
    out.talk(`${fault.code}: ${fault.message}`);
    return exitCodeOfFault(fault);
  }
}
