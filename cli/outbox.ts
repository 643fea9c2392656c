import type { BootStart } from "#agent/boot.ts";
import { trialFinished } from "#agent/boot-events.ts";
import { describeFault } from "#core/fault.ts";
import type { NewEvent } from "#protocol/events.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { Invocation } from "./command.ts";

/** Events of a boot on their way to the network side. */
export interface BootOutbox {
  readonly report: BootStart["report"];
  /** Writes them durably, all at once. A disk that takes none is told and does not fail the boot. */
  flush(): Promise<void>;
}

/**
 * Collects the events of a boot, for one file of the spool at its end. How trials ended comes from
 * the journal, so that the end of one is told also where the boot that did it was killed.
 */
export function bootOutbox(
  { io, log }: Pick<Invocation, "io" | "log">,
  system: Pick<SystemClient, "history">,
): BootOutbox {
  const events: NewEvent[] = [];
  const failed = (error: unknown) =>
    log.error("outbox.failed", { message: describeFault(error).message });
  return {
    report: (event) => void events.push(event),
    async flush() {
      const { trials } = await system.history().catch((error) => {
        failed(error);
        return { trials: [] };
      });
      try {
        const { toldTrial, writeSpool } = await import("#agent/link/spool.ts");
        const names = trials.map(({ transaction }) => transaction);
        const untold = trials.slice(names.lastIndexOf(toldTrial(io.files) ?? "") + 1);
        const all = withTrials(events, untold.map(trialFinished));
        if (all.length > 0) writeSpool(io, all, { trial: untold.at(-1)?.transaction });
      } catch (error) {
        failed(error);
      }
    },
  };
}

/** Trials end before their boot does. */
function withTrials(events: readonly NewEvent[], trials: readonly NewEvent[]): readonly NewEvent[] {
  const end = events.findIndex(({ kind }) => kind === "boot.finished");
  const at = end === -1 ? events.length : end;
  return [...events.slice(0, at), ...trials, ...events.slice(at)];
}
