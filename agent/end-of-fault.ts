import { adviceOf } from "#core/advice.ts";
import type { Code } from "#core/codes.ts";
import { describeFault } from "#core/fault.ts";
import type { Log } from "#core/log.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { End } from "./boot-stages.ts";
import type { OutcomeKind } from "./outcome.ts";

/** Faults that are an answer rather than a failure. */
const outcomes: { readonly [code in Code]?: OutcomeKind } = {
  "policy/held": "held",
  "policy/left-alone": "held",
  "policy/signature-required": "refused",
  "user-data/invalid": "invalid",
  "datasource/none": "disabled",
  "datasource/disabled": "disabled",
};

/** How a boot ended that threw. */
export function endOfFault(error: unknown, log: Log): End {
  const fault = describeFault(error);
  const { code, message } = fault;
  log.error("boot.fault", { code, message, hint: adviceOf(fault) });
  return { outcome: outcomes[code] ?? "failed", message, fault };
}

/** An end with what runs, where it does not say so itself. A system that cannot be asked is not the news. */
export async function withRunning(end: End, system: SystemClient, log: Log): Promise<End> {
  if (end.toplevel !== undefined) return end;
  try {
    const { toplevel, generation, sourcesDigest } = await system.runs("");
    return { ...end, toplevel, generation, sourcesDigest };
  } catch (error) {
    log.warning("boot.running-unknown", { message: describeFault(error).message });
    return end;
  }
}
