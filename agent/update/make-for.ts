import { describeFault, Fault, type FaultRecord, isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { SystemClient } from "#provisioner/system/client.ts";
import type { Closure } from "#provisioner/system/system.ts";
import { type KeptRelease, writeStaged } from "./kept-release.ts";
import type { Tracker } from "./tracker.ts";
import { isUntouched } from "./transitions.ts";
import type { UpdateEvent } from "./update-state.ts";

/** What a system is made for. */
export interface MakingFor {
  readonly io: Io;
  readonly tracker: Tracker;
  readonly release: Pick<KeptRelease, "release" | "document">;
  /** Why it must not be activated now; `undefined` where it may. */
  readonly mayTry: () => Promise<string | undefined>;
  /** What a fault means by which a trial was refused before it began. */
  readonly endOf: (fault: FaultRecord) => UpdateEvent;
}

/**
 * A system that is asked to become a release: what is asked of it is written into the ledger first, up to
 * the trial, and the release is kept from before its trial begins. Throws `update/held` in place of a trial
 * that must not begin now.
 */
export function makeFor(system: SystemClient, making: MakingFor): SystemClient {
  const { io, tracker, release, mayTry, endOf } = making;

  /** Whether the update is where a system is made for it: not in what follows its own end. */
  const isMade = () => isUntouched(tracker.update().state);

  function obtained(closure: Closure): Closure {
    const { updateId } = tracker.update();
    const { transaction, toplevel } = closure;
    writeStaged(io, { ...release, updateId: updateId ?? "", transaction });
    tracker.happen({ name: "obtained", transaction, toplevel });
    return closure;
  }

  /** STAGED: made before, and made again, because another system runs since or the machine was restarted. */
  function beginAgain(): void {
    if (tracker.update().state !== "STAGED") return;
    tracker.happen({ name: "again" });
    tracker.happen({ name: "due" });
  }

  /** Of a trial that the journal does not have nothing was begun. */
  async function refused(error: unknown): Promise<void> {
    if (!isFault(error)) return;
    const { state, transaction } = await system.status();
    const isOpen = state !== "none" && state !== "building" && state !== "built";
    if (isOpen && transaction === tracker.update().transaction) return;
    const { trials } = await system.history();
    if (trials.some((trial) => trial.transaction === tracker.update().transaction)) return;
    tracker.note(endOf(describeFault(error)));
  }

  return {
    ...system,
    // A boot would ask for what was before; what the fleet wants tried again it assigns again.
    retry: async () => ({ at: null }),
    async build(sources, reason) {
      if (!isMade()) return system.build(sources, reason);
      beginAgain();
      tracker.happen({ name: "building" });
      return obtained(await system.build(sources, reason));
    },
    async fetch(signed, sources, reason, caches) {
      if (!isMade()) return system.fetch(signed, sources, reason, caches);
      beginAgain();
      return obtained(await system.fetch(signed, sources, reason, caches));
    },
    async try(plan, options) {
      if (!isMade()) return system.try(plan, options);
      const why = await mayTry();
      if (why !== undefined) throw new Fault("update/held", why);
      tracker.happen({ name: "try" });
      const trial = await system.try(plan, options).catch(async (error) => {
        await refused(error);
        throw error;
      });
      tracker.note({ name: trial.activation === "waits-for-restart" ? "restart" : "tried" });
      return trial;
    },
  };
}
