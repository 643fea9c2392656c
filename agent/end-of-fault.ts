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
  "system/release-denied": "held",
  "system/release-looping": "held",
  "system/reboot-refused": "held",
  "system/reboot-impossible": "held",
  "system/switch-inhibited": "held",
  "base/git-signature": "refused",
  "policy/signature-required": "refused",
  "system/plan-stale": "refused",
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

/** An end with what runs, where it does not say so itself, and what is still to come. A system that cannot be asked is not the news. */
export async function withRunning(end: End, system: SystemClient, log: Log): Promise<End> {
  try {
    const { toplevel, generation, sourcesDigest, ...now } = await system.runs("");
    const { restart, bootProved, lastTrial, retries } = now;
    const runs = end.toplevel === undefined ? { toplevel, generation, sourcesDigest } : {};
    return { ...end, ...runs, restart, bootProved, lastTrial, retries };
  } catch (error) {
    log.warning("boot.running-unknown", { message: describeFault(error).message });
    return end;
  }
}
