import { sha256 } from "#core/canonical-json.ts";
import { isFault } from "#core/fault.ts";
import { type Files, type Io, readBootId, timestamp } from "#core/io.ts";
import { firstPrev, formatRecord, provenFields } from "#provisioner/system/journal-record.ts";
import { next } from "./next.ts";
import { ledgerFile } from "./places.ts";
import {
  type EventName,
  idle,
  type StateName,
  type Update,
  type UpdateEvent,
} from "./update-state.ts";

/** One line: that an update went from one state to another, written before what the new one asks for. */
export interface LedgerRecord {
  readonly v: 1;
  /** From 1, without gaps; over rotations as well. */
  readonly seq: number;
  /** SHA-256 of the line before; of the first one {@link firstPrev}. */
  readonly prev: string;
  readonly at: string;
  readonly bootId: string;
  /** By the clock of this boot that nobody sets. */
  readonly upMs: number;
  readonly event: EventName;
  readonly from: StateName;
  /** All of the update after it. */
  readonly update: Update;
}

/** A ledger that is larger loses its oldest updates. */
const rotateBytes = 512 * 1024;
/** Of these updates everything stays. */
const keptUpdates = 16;
const maxBytes = 8 * 1024 * 1024;

/** What a ledger holds. */
export interface LedgerReading {
  readonly records: readonly LedgerRecord[];
  readonly update: Update;
  /** Why what follows is not believed, or `null`. A last line that was being written counts as none. */
  readonly damage: string | null;
  /** The text that is believed. */
  readonly good: string;
}

/** Reads and verifies the ledger, as far as it is good. */
export function readLedger(files: Files, path: string = ledgerFile): LedgerReading {
  const text = readWhole(files, path);
  if (text === undefined) return { ...nothing, damage: `it is larger than ${maxBytes} bytes` };
  const lines = text.split("\n");
  const open = lines.pop();
  const records: LedgerRecord[] = [];
  let length = 0;
  let prev: string | undefined;
  const upTo = (damage: string | null): LedgerReading => {
    const update = records.at(-1)?.update ?? idle;
    return { records, update, damage, good: text.slice(0, length) };
  };
  for (const [index, line] of lines.entries()) {
    const record = parse(line);
    const isLast = index === lines.length - 1 && open === "";
    if (record === undefined)
      return upTo(isLast ? null : `line ${index + 1} does not prove itself`);
    const isFirst = prev === undefined;
    const fits = isFirst
      ? record.seq > 1 || record.prev === firstPrev
      : record.prev === prev && record.seq === (records.at(-1)?.seq ?? 0) + 1;
    if (!fits) return upTo(`line ${index + 1} does not follow the line before`);
    records.push(record);
    prev = sha256(line);
    length += line.length + 1;
  }
  return upTo(null);
}

const nothing: LedgerReading = { records: [], update: idle, damage: null, good: "" };

function readWhole(files: Files, path: string): string | undefined {
  try {
    return files.readText(path, { maxBytes }) ?? "";
  } catch (error) {
    if (isFault(error, "io/too-large")) return undefined;
    throw error;
  }
}

function parse(line: string): LedgerRecord | undefined {
  const fields = provenFields(line);
  const isRecord = fields?.["v"] === 1 && Number.isSafeInteger(fields["seq"]);
  return isRecord ? (fields as unknown as LedgerRecord) : undefined;
}

/** The ledger of this node, as the one process that works on its update has it. */
export interface Ledger {
  readonly update: () => Update;
  /** Why the ledger from before was set aside; `null` where it was good. */
  readonly damage: string | null;
  /**
   * Writes down where an event leads, durably; gives back what is to be done, nothing for a misfit. Throws
   * `io/write-failed`: then nothing has happened.
   */
  append(event: UpdateEvent): ReturnType<typeof next>;
}

/**
 * Opens it for writing. What a power cut left of the last line is cut off; a ledger that is damaged is
 * kept beside and begun anew: what the machine runs stands in the journal, and what is asked of it on
 * the disk.
 */
export function openLedger(io: Io): Ledger {
  const { files } = io;
  const read = readLedger(files);
  const { damage } = read;
  if (damage !== null) files.rename(ledgerFile, `${ledgerFile}.damaged`);
  else if (read.good !== (files.readText(ledgerFile, { maxBytes }) ?? "")) {
    files.write(ledgerFile, read.good, { mode: 0o600 });
  }
  let { good } = read;
  let { update } = read;
  if (damage !== null) [good, update] = ["", { ...idle, seq: read.update.seq }];
  return {
    damage,
    update: () => update,
    append(event) {
      const at = timestamp(io.clock);
      const bootId = readBootId(files);
      const came = next(update, event, { at, bootId });
      if (came.state === update) return came;
      const fields = {
        ...{ v: 1, seq: came.state.seq, prev: lastDigest(good), at, bootId },
        upMs: Math.round(io.clock.monotonicMs()),
        ...{ event: came.event, from: update.state, update: came.state },
      };
      const line = `${formatRecord(fields)}\n`;
      if (event.name === "received" && good.length > rotateBytes) {
        const kept = `${lastUpdates(good)}${line}`;
        files.write(ledgerFile, kept, { mode: 0o600 });
        good = kept;
      } else {
        files.append(ledgerFile, line);
        good += line;
      }
      update = came.state;
      return came;
    },
  };
}

function lastDigest(good: string): string {
  if (good === "") return firstPrev;
  const line = good.slice(good.lastIndexOf("\n", good.length - 2) + 1, -1);
  return sha256(line);
}

/** The lines of the newest updates. */
function lastUpdates(good: string): string {
  const lines = good.split("\n").slice(0, -1);
  const starts = lines.flatMap((line, index) => (parse(line)?.event === "received" ? [index] : []));
  const kept = lines.slice(starts.at(-keptUpdates) ?? 0);
  return kept.map((line) => `${line}\n`).join("");
}
