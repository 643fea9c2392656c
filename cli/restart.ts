import type { Outcome } from "#agent/outcome.ts";
import { exitCodeOf, exitCodeOfFault } from "#agent/outcome.ts";
import { describeFault } from "#core/fault.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { Invocation } from "./command.ts";

/**
 * Restarts the machine where an outcome asks for it, once all that is to be told is written, by the
 * system that has the trial's lock. Gives back the exit code; a machine that does not restart is
 * told, and asked again by the next start.
 */
export async function endWith(
  outcome: Outcome,
  invocation: Pick<Invocation, "log" | "out">,
  system: Pick<SystemClient, "restart">,
): Promise<number> {
  if (!outcome.restart) return exitCodeOf(outcome);
  return (await restartMachine(invocation, system)) ?? exitCodeOf(outcome);
}

/** Restarts the machine now; the exit code where it does not restart. */
export async function restartMachine(
  { log, out }: Pick<Invocation, "log" | "out">,
  system: Pick<SystemClient, "restart">,
): Promise<number | undefined> {
  out.talk("the machine is being restarted");
  try {
    const { how } = await system.restart();
    log.info("machine.restarting", { how });
    return undefined;
  } catch (error) {
    const fault = describeFault(error);
    log.error("machine.not-restarted", { code: fault.code, message: fault.message });
    out.talk(`${fault.code}: ${fault.message}`);
    return exitCodeOfFault(fault);
  }
}
