import { sha256 } from "#core/canonical-json.ts";
import { type Io, readBootId, timestamp } from "#core/io.ts";
import type { CheckedReading, JournalReading } from "./journal.ts";
import { type Checkpoint, firstPrev, formatRecord, journalVersion } from "./journal-record.ts";
import { dropOldest, keepAside } from "./set-aside.ts";

/**
 * Replaces a journal by one line that says what its records come to; the old one is kept as
 * `NAME.1`, in place of the one that was kept so before. A crash in between leaves the old journal
 * where it is, and a copy.
 */
export function replaceJournal(io: Io, path: string, reading: JournalReading): void {
  const keptAs = `${path}.1`;
  io.files.write(keptAs, reading.good, { mode: 0o600 });
  begin(io, path, reading, {
    ledger: reading.ledger,
    replaces: { keptAs, digest: sha256(reading.good), damage: null },
  });
}

/**
 * Sets a journal aside that is not believed to its end, and begins a new one that says so: it knows
 * what the good part knew, but nothing of what was open. Gives back what was done, as a sentence.
 */
export function setAsideDamaged(io: Io, path: string, reading: CheckedReading): string {
  const { state } = reading.ledger.state;
  const seq = (reading.records.at(-1)?.seq ?? 0) + 1;
  const kept = keepDamaged(io, path, seq);
  begin(io, path, reading, {
    ledger: { ...reading.ledger, state: { state: "none" } },
    replaces: { ...kept, damage: reading.damage },
  });
  return (
    `the journal was damaged (${reading.damage}); it was set aside as ${kept.keptAs} and a new one ` +
    `begun. What it left open after record ${seq - 1} (${state}) is not known: what runs is left alone`
  );
}

/** Keeps the damaged journal; one that is too large to be read is moved, and not copied. */
function keepDamaged(
  { files }: Io,
  path: string,
  seq: number,
): { readonly keptAs: string; readonly digest: string | null } {
  const size = files.stat(path)?.size ?? 0;
  if (size > maxCopied) {
    const keptAs = `${path}.damaged-${seq}-large`;
    files.rename(path, keptAs);
    dropOldest(files, `${path}.damaged-`, keptAs);
    return { keptAs, digest: null };
  }
  const bytes = files.read(path, { maxBytes: maxCopied }) ?? new Uint8Array();
  const digest = sha256(bytes);
  const name = `${seq}-${digest.slice(0, 8)}`;
  return { keptAs: keepAside(files, path, { kind: "damaged", name, bytes }), digest };
}

const maxCopied = 64 * 1024 * 1024;

/** Writes the journal anew, as one checkpoint that follows the last good record. */
function begin(io: Io, path: string, { records, good }: JournalReading, data: Checkpoint): void {
  const line = good.trimEnd().split("\n").at(-1);
  const text = formatRecord({
    v: journalVersion,
    seq: (records.at(-1)?.seq ?? 0) + 1,
    prev: records.length === 0 ? firstPrev : sha256(line ?? ""),
    bootId: readBootId(io.files),
    at: timestamp(io.clock),
    kind: "checkpoint",
    data,
  });
  io.files.write(path, `${text}\n`, { mode: 0o600 });
}
