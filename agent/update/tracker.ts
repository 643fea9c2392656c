import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { hostProcesses, openLock, type Processes } from "#provisioner/system/lock.ts";
import { openLedger } from "./ledger.ts";
import { updateLock } from "./places.ts";
import { progressPace } from "./progress.ts";
import { tellProgress, tellUpdate } from "./tell.ts";
import type { Update, UpdateEvent } from "./update-state.ts";

/** The update of this node, in the hands of the one process that works on it. */
export interface Tracker {
  update(): Update;
  /**
   * Writes down what happens, durably, and tells it; whether it fitted. Throws `io/write-failed`, and
   * then it has not happened: what was to follow must not be done.
   */
  happen(event: UpdateEvent): boolean;
  /** The same of what has been done already: a disk that takes no more is logged, and the journal says it later. */
  note(event: UpdateEvent): void;
  /** Tells how much of making the system is done; what comes too fast, or in another state, is passed over. */
  progress(share: number): void;
  release(): void;
}

/** Takes the update of this node up. Throws `system/locked` where another process has it. */
export function openTracker(io: Io, log: Log, processes: Processes = hostProcesses()): Tracker {
  const lock = openLock(io, updateLock, processes);
  lock.acquire();
  const ledger = openLedger(io);
  if (ledger.damage !== null)
    log.error("update.ledger-damaged", { code: "update/ledger-damaged", message: ledger.damage });
  tellUpdate(io, log); // what a process before this one could not
  const happen = (event: UpdateEvent): boolean => {
    const before = ledger.update();
    const { state } = ledger.append(event);
    if (state === before) return false;
    const { updateId, state: to, reason, code } = state;
    log.info("update.changed", { updateId, from: before.state, to, reason, code });
    tellUpdate(io, log);
    return true;
  };
  const paced = progressPace();
  return {
    update: ledger.update,
    progress(share) {
      const { state, seq } = ledger.update();
      if (state !== "DOWNLOADING" && state !== "BUILDING") return;
      const told = paced({ share, seq, upMs: io.clock.monotonicMs() });
      if (told !== undefined) tellProgress(io, log, ledger.update(), told);
    },
    happen,
    note(event) {
      try {
        happen(event);
      } catch (error) {
        log.error("update.unwritten", { event: event.name, message: (error as Error).message });
      }
    },
    release: () => lock.release(),
  };
}
