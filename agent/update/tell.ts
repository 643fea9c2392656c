import { prettyJson } from "#core/canonical-json.ts";
import { describeFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { UpdateState } from "#generated/protocol/messages/update.ts";
import type { UpdateChanged } from "#generated/protocol/messages/update-changed.ts";
import type { NewEvent } from "#protocol/events.ts";
import { toldUpdate, writeSpool } from "../link/spool.ts";
import { type LedgerRecord, readLedger } from "./ledger.ts";
import { stateFile } from "./places.ts";
import type { Update } from "./update-state.ts";

/** Characters of a reason that travel. */
const maxReason = 1_000;

/** Where the update stands, as the topic `update` has it. */
export function updateState(update: Update, progress?: number): UpdateState {
  const { state, seq, attempt } = update;
  return {
    ...{ state, seq, attempt, ...about(update) },
    ...present("updateId", update.updateId),
    ...(update.release === null
      ? {}
      : { release: update.release.name, number: update.release.number }),
    ...present("since", update.since),
    ...present("bootId", update.bootId),
    ...(progress === undefined ? {} : { progress }),
  };
}

function about({ transaction, toplevel, reason, code }: Update) {
  return {
    ...present("transaction", transaction),
    ...present("toplevel", toplevel),
    ...present("reason", reason === null ? null : reason.slice(0, maxReason) || null),
    ...present("code", code),
  };
}

function present<K extends string, V>(key: K, value: V | null): { [key in K]?: V } {
  return (value === null ? {} : { [key]: value }) as { [key in K]?: V };
}

/** A record of the ledger as the fleet is told of it. */
export function updateChanged({ at, bootId, from, update }: LedgerRecord): NewEvent {
  const { release, updateId, state: to, seq, attempt } = update;
  const body: UpdateChanged = {
    ...{ updateId: updateId ?? "unknown", from, to, at, bootId, seq, attempt, ...about(update) },
    ...{ release: release?.name ?? "unknown", number: release?.number ?? 0 },
  };
  return { kind: "update.changed", body };
}

/**
 * Writes where the update stands for everybody, and what the ledger has that was not told yet into the
 * spool, once. A disk that takes no more is logged: nothing that is told decides anything.
 */
export function tellUpdate(io: Io, log: Log): void {
  try {
    const { records, update } = readLedger(io.files);
    writeState(io, update);
    const told = toldUpdate(io.files);
    const untold = records.filter(({ seq }) => seq > told);
    const last = untold.at(-1);
    if (last !== undefined) writeSpool(io, untold.map(updateChanged), { update: last.seq });
  } catch (error) {
    const { code, message } = describeFault(error);
    log.error("update.untold", { code, message });
  }
}

/** Writes how much of what a state asks for is done; the next change of state takes it out again. */
export function tellProgress(io: Io, log: Log, update: Update, progress: number): void {
  try {
    writeState(io, update, progress);
  } catch (error) {
    const { code, message } = describeFault(error);
    log.warning("update.progress-untold", { code, message });
  }
}

/** Nothing where it already stands there. */
function writeState({ files }: Io, update: Update, progress?: number): void {
  const text = prettyJson({ v: 1, ...updateState(update, progress) });
  if (files.readText(stateFile) !== text) files.write(stateFile, text, { mode: 0o644 });
}
