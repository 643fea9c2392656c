import { sha256 } from "#core/canonical-json.ts";
import { Fault, isFault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { firstPrev, type JournalRecord, journalVersion, parseRecord } from "./journal-record.ts";
import { emptyLedger, follow, type Ledger } from "./ledger.ts";

/** Larger than any that is rotated; what is larger is no journal. */
const maxBytes = 64 * 1024 * 1024;

/** What a journal file holds. */
export interface JournalReading {
  readonly records: readonly JournalRecord[];
  /** What they come to. */
  readonly ledger: Ledger;
  /** The text that is good, ending with a newline unless empty. */
  readonly good: string;
  /** A last line that a power cut left unfinished, or `null`. */
  readonly torn: string | null;
}

/** A reading that may end before the journal does. */
export interface CheckedReading extends JournalReading {
  /** Why what follows the good text is not believed, or `null`. */
  readonly damage: string | null;
}

/**
 * Reads and verifies a journal. A last line that is unfinished or does not prove itself was being
 * written when the power went, so nothing was done after it: it is reported apart. Any other damage
 * throws `system/journal-damaged`, a newer version `system/journal-newer`.
 */
export function readJournal(files: Files, path: string): JournalReading {
  const { damage, ...reading } = checkJournal(files, path);
  if (damage === null) return reading;
  throw new Fault("system/journal-damaged", `${path}: ${damage}`);
}

/** As {@link readJournal}, but damage is part of the answer. */
export function checkJournal(files: Files, path: string): CheckedReading {
  const text = readWhole(files, path);
  if (text === undefined) return { ...nothing, damage: `it is larger than ${maxBytes} bytes` };
  const known = text.startsWith(last.good) ? last : beginning;
  const lines = text.slice(known.good.length).split("\n");
  const open = lines.pop() ?? "";
  const records = [...known.records];
  let { ledger, prev } = known;
  let length = known.good.length;
  const upToHere = () => {
    last = { records, ledger, prev, good: text.slice(0, length) };
    return { records, ledger, good: last.good, torn: null };
  };
  for (const [index, line] of lines.entries()) {
    const parsed = parseRecord(line);
    const where = `line ${records.length + 1}`;
    if (parsed.is === "damaged" && index === lines.length - 1 && open === "") {
      if (holdsWholeRecord(line)) return { ...upToHere(), damage: `${where}: ${wholeAndMore}` };
      return { ...upToHere(), torn: line, damage: null };
    }
    if (parsed.is === "newer") throw newer(path, where, parsed.version);
    const damage =
      parsed.is === "damaged"
        ? "the line does not prove itself"
        : misplaced(parsed.record, { before: records.at(-1), prev });
    if (parsed.is === "damaged" || damage !== undefined) {
      return { ...upToHere(), damage: `${where}: ${damage}` };
    }
    records.push(parsed.record);
    ledger = follow(ledger, parsed.record);
    prev = sha256(line);
    length += line.length + 1;
  }
  if (holdsWholeRecord(open)) {
    return { ...upToHere(), damage: `line ${records.length + 1}: ${wholeAndMore}` };
  }
  return { ...upToHere(), torn: open === "" ? null : open, damage: null };
}

/** As far as a journal is good. */
interface Good extends Pick<JournalReading, "records" | "ledger" | "good"> {
  /** Digest of its last line. */
  readonly prev: string | undefined;
}

const beginning: Good = { records: [], ledger: emptyLedger, good: "", prev: undefined };
/** What was read last: one change reads the journal many times, and only its end is new. */
let last = beginning;

const nothing: JournalReading = { records: [], ledger: emptyLedger, good: "", torn: null };
const wholeAndMore = "more than one record is on it";

/**
 * Whether a last line is more than the beginning of one record: a whole one with something behind it
 * was on the disk before that was written, so it is the newline that was damaged. Zeros are no more
 * than a file that had grown when the power went.
 */
function holdsWholeRecord(text: string): boolean {
  const torn = text.replace(/\0+$/, "");
  return [...torn.matchAll(/"v":[0-9]+\}/g)].some(({ 0: end, index }) => {
    const length = index + end.length;
    return length < torn.length && parseRecord(torn.slice(0, length)).is !== "damaged";
  });
}

/** The text, or `undefined` of one that is too large. */
function readWhole(files: Files, path: string): string | undefined {
  try {
    return files.readText(path, { maxBytes }) ?? "";
  } catch (error) {
    if (isFault(error, "io/too-large")) return undefined;
    throw error;
  }
}

interface Place {
  readonly before: JournalRecord | undefined;
  /** Digest of the line before. */
  readonly prev: string | undefined;
}

/** Why a record does not belong where it stands. A checkpoint goes on where another journal ended. */
function misplaced(record: JournalRecord, { before, prev }: Place): string | undefined {
  const isFirst = before === undefined || prev === undefined;
  if (record.kind === "checkpoint") {
    return isFirst ? undefined : "a checkpoint stands behind other records";
  }
  if (record.seq !== (isFirst ? 1 : before.seq + 1)) return `it says record ${record.seq}`;
  return record.prev === (prev ?? firstPrev) ? undefined : "it does not follow the line before";
}

function newer(path: string, where: string, version: string): Fault {
  return new Fault(
    "system/journal-newer",
    `${path}: ${where}: version ${version}, expected at most ${journalVersion}`,
  );
}
