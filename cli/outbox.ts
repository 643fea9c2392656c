import type { BootDeps } from "#agent/boot.ts";
import type { NewEvent } from "#protocol/events.ts";
import type { Invocation } from "./command.ts";

/** Events of a boot on their way to the outbox. */
export interface BootOutbox {
  readonly report: BootDeps["report"];
  /** Writes them durably, all at once. A broken outbox is told and does not fail the boot. */
  flush(): Promise<void>;
}

/** Collects the events of a boot: the database is opened once, at its end. */
export function bootOutbox({ io, log }: Invocation): BootOutbox {
  const events: NewEvent[] = [];
  return {
    report: (event) => void events.push(event),
    async flush() {
      try {
        const { openOutbox } = await import("#agent/link/outbox.ts");
        const outbox = await openOutbox(io, log);
        outbox.append(...events);
        outbox.close();
      } catch (error) {
        log.error("outbox.failed", {
          message: error instanceof Error ? error.message : String(error),
        });
      }
    },
  };
}
