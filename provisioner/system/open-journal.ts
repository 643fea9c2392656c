import { sha256 } from "#core/canonical-json.ts";
import { type Io, readBootId, timestamp } from "#core/io.ts";
import { checkJournal, type JournalReading, readJournal } from "./journal.ts";
import {
  firstPrev,
  formatRecord,
  type JournalRecord,
  journalVersion,
  parseRecord,
  type Step,
  type StepRecord,
  type StepResult,
  type Steps,
} from "./journal-record.ts";
import { replaceJournal, setAsideDamaged } from "./journal-rotation.ts";
import { follow, type Ledger } from "./ledger.ts";
import { keepAside } from "./set-aside.ts";

/** The journal, open for one writer. */
export interface Journal {
  /** What its records come to. */
  readonly ledger: Ledger;
  /** What was mended on opening, as sentences. */
  readonly notes: readonly string[];
  /** Why what it said before is not believed to its end, or `null`. */
  readonly damage: string | null;
  /** Written and on disk before the step acts. */
  intent<S extends Step>(txn: string, step: S, data: Steps[S]["intent"]): void;
  /** Written and on disk after it acted. */
  result<S extends Step>(txn: string, step: S, data: StepResult<S>): void;
}

export interface JournalOptions {
  /** A journal whose records take more is replaced by what they come to. */
  readonly rotateBytes?: number;
  /** Whether one that is damaged is set aside, and a new one begun that says so. */
  readonly mend?: boolean;
}

/** Some twenty changes. */
const defaultRotateBytes = 256 * 1024;

/**
 * Opens the journal for writing: an unfinished last line is kept aside and cut off, one that has
 * grown is replaced. Throws `system/journal-damaged` unless it may be mended, and
 * `system/journal-newer`.
 */
export function openJournal(io: Io, path: string, options: JournalOptions = {}): Journal {
  const { rotateBytes = defaultRotateBytes, mend = false } = options;
  const notes: string[] = [];
  let damage: string | null = null;
  let { last, line, ledger } = open();
  let whole = true;

  function open(): Tail {
    const checked = checkJournal(io.files, path);
    if (checked.damage !== null && mend) {
      damage = checked.damage;
      notes.push(setAsideDamaged(io, path, checked));
    }
    const reading = checked.damage === null ? checked : readJournal(io.files, path);
    if (reading.torn !== null) notes.push(cutOff(io, path, reading));
    if (grown(reading) <= rotateBytes) return tailOf(reading);
    replaceJournal(io, path, reading);
    return tailOf(readJournal(io.files, path));
  }

  function append(fields: Pick<StepRecord, "txn" | "kind" | "step" | "data">): void {
    if (!whole) ({ last, line, ledger } = open());
    const text = formatRecord({
      v: journalVersion,
      seq: (last?.seq ?? 0) + 1,
      prev: line === undefined ? firstPrev : sha256(line),
      bootId: readBootId(io.files),
      at: timestamp(io.clock),
      ...fields,
    });
    whole = false; // a write that fails half-way is mended before the next one
    io.files.append(path, `${text}\n`);
    whole = true;
    const parsed = parseRecord(text);
    if (parsed.is !== "record") return;
    line = text;
    last = parsed.record;
    ledger = follow(ledger, parsed.record);
  }

  return {
    get ledger() {
      return ledger;
    },
    notes,
    get damage() {
      return damage;
    },
    intent: (txn, step, data) => append({ txn, kind: "intent", step, data } as Fields),
    result: (txn, step, data) => append({ txn, kind: "result", step, data } as Fields),
  };
}

type Fields = StepRecord extends infer R
  ? R extends StepRecord
    ? Pick<R, "txn" | "kind" | "step" | "data">
    : never
  : never;

/** What the next record follows. */
interface Tail {
  readonly last: JournalRecord | undefined;
  /** Its text. */
  readonly line: string | undefined;
  readonly ledger: Ledger;
}

function tailOf({ records, good, ledger }: JournalReading): Tail {
  const last = records.at(-1);
  const line = last === undefined ? undefined : good.trimEnd().split("\n").at(-1);
  return { last, line, ledger };
}

/** Characters behind the checkpoint, which stays as large as what it remembers. */
function grown({ records, good }: JournalReading): number {
  return records[0]?.kind === "checkpoint" ? good.length - good.indexOf("\n") - 1 : good.length;
}

function cutOff(io: Io, path: string, { records, good, torn }: JournalReading): string {
  const line = torn ?? "";
  const aside = keepAside(io.files, path, {
    kind: "torn",
    name: `${(records.at(-1)?.seq ?? 0) + 1}-${sha256(line).slice(0, 8)}`,
    bytes: line,
  });
  io.files.write(path, good, { mode: 0o600 });
  return `the journal's last line was unfinished, as after a power cut; it was cut off and kept as ${aside}`;
}
