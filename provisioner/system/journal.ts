import { sha256 } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { type Files, type Io, readBootId, timestamp } from "#core/io.ts";
import {
  firstPrev,
  formatRecord,
  type IntentRecord,
  type JournalRecord,
  journalVersion,
  parseRecord,
  type ResultRecord,
  type Step,
  type StepResult,
  type Steps,
} from "./journal-record.ts";

/** Larger than thousands of transactions; what is larger is no journal. */
const maxBytes = 64 * 1024 * 1024;

/** What a journal file holds. */
export interface JournalReading {
  readonly records: readonly JournalRecord[];
  /** The text that is good, ending with a newline unless empty. */
  readonly good: string;
  /** A last line that a power cut left unfinished, or `null`. */
  readonly torn: string | null;
}

/** The journal, open for one writer. */
export interface Journal {
  readonly records: readonly JournalRecord[];
  /** What was mended on opening, as sentences. */
  readonly notes: readonly string[];
  /** Written and on disk before the step acts. */
  intent<S extends Step>(txn: string, step: S, data: Steps[S]["intent"]): void;
  /** Written and on disk after it acted. */
  result<S extends Step>(txn: string, step: S, data: StepResult<S>): void;
}

/**
 * Reads and verifies a journal. A last line that is unfinished or does not prove itself was being
 * written when the power went, so nothing was done after it: it is reported apart. Any other damage
 * throws `system/journal-damaged`, a newer version `system/journal-newer`.
 */
export function readJournal(files: Files, path: string): JournalReading {
  const text = files.readText(path, { maxBytes }) ?? "";
  const lines = text.split("\n");
  const open = lines.pop() ?? "";
  const records: JournalRecord[] = [];
  let prev = firstPrev;
  let length = 0;
  for (const [index, line] of lines.entries()) {
    const parsed = parseRecord(line);
    if (parsed.is === "damaged" && index === lines.length - 1 && open === "") {
      checkTorn(path, index + 1, line);
      return { records, good: text.slice(0, length), torn: line };
    }
    if (parsed.is === "newer") throw newer(path, index + 1, parsed.version);
    if (parsed.is === "damaged") throw damaged(path, index + 1, "the line does not prove itself");
    const { record } = parsed;
    if (record.seq !== index + 1) throw damaged(path, index + 1, `it says record ${record.seq}`);
    if (record.prev !== prev) throw damaged(path, index + 1, "it does not follow the line before");
    records.push(record);
    prev = sha256(line);
    length += line.length + 1;
  }
  checkTorn(path, lines.length + 1, open);
  return { records, good: text.slice(0, length), torn: open === "" ? null : open };
}

/**
 * Throws where a last line is more than the beginning of one record: a whole one with something behind
 * it was on the disk before that was written, so it is the newline that was damaged. Zeros are no more
 * than a file that had grown when the power went.
 */
function checkTorn(path: string, line: number, text: string): void {
  const torn = text.replace(/\0+$/, "");
  for (const { 0: end, index } of torn.matchAll(/"v":[0-9]+\}/g)) {
    const length = index + end.length;
    if (length < torn.length && parseRecord(torn.slice(0, length)).is !== "damaged")
      throw damaged(path, line, "more than one record is on it");
  }
}

/** Opens the journal for writing; an unfinished last line is kept aside and cut off. */
export function openJournal(io: Io, path: string): Journal {
  const notes: string[] = [];
  let { records, last } = mend();
  let whole = true;

  function mend(): { records: JournalRecord[]; last: string } {
    const reading = readJournal(io.files, path);
    if (reading.torn !== null) {
      const aside = `${path}.torn-${reading.records.length + 1}-${sha256(reading.torn).slice(0, 8)}`;
      io.files.write(aside, reading.torn, { mode: 0o600 });
      io.files.write(path, reading.good, { mode: 0o600 });
      notes.push(
        `the journal's last line was unfinished, as after a power cut; it was cut off and kept as ${aside}`,
      );
    }
    return { records: [...reading.records], last: reading.good.trimEnd().split("\n").at(-1) ?? "" };
  }

  function append(fields: Pick<JournalRecord, "txn" | "kind" | "step" | "data">): void {
    if (!whole) ({ records, last } = mend());
    const line = formatRecord({
      v: journalVersion,
      seq: records.length + 1,
      prev: last === "" ? firstPrev : sha256(last),
      bootId: readBootId(io.files),
      at: timestamp(io.clock),
      ...fields,
    });
    whole = false; // a write that fails half-way is mended before the next one
    io.files.append(path, `${line}\n`);
    whole = true;
    last = line;
    const parsed = parseRecord(line);
    if (parsed.is === "record") records.push(parsed.record);
  }

  return {
    get records() {
      return records;
    },
    notes,
    intent: (txn, step, data) =>
      append({ txn, kind: "intent", step, data } as Fields<IntentRecord<Step>>),
    result: (txn, step, data) =>
      append({ txn, kind: "result", step, data } as Fields<ResultRecord<Step>>),
  };
}

type Fields<R> = R extends JournalRecord ? Pick<R, "txn" | "kind" | "step" | "data"> : never;

function damaged(path: string, line: number, why: string): Fault {
  return new Fault("system/journal-damaged", `${path}: line ${line}: ${why}`);
}

function newer(path: string, line: number, version: string): Fault {
  return new Fault(
    "system/journal-newer",
    `${path}: line ${line}: version ${version}, expected at most ${journalVersion}`,
  );
}
