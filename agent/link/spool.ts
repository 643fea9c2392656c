import { canonicalJson } from "#core/canonical-json.ts";
import { isFault } from "#core/fault.ts";
import { type Files, type Io, readBootId, timestamp } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { SpoolFile } from "#generated/agent/link/spool.ts";
import { validate } from "#generated/agent/link/spool.validate.js";
import type { NewEvent } from "#protocol/events.ts";
import { fitEvent } from "#protocol/fit-event.ts";

/**
 * Where the root side leaves its events, readable by all. It never opens what belongs to the network
 * side, whose database may be anything once that side was taken over; the network side takes the
 * events into its outbox and cannot touch them here.
 */
export const spoolDirectory = "/var/lib/firstlight/report/events";

/** How much is kept for a network side that does not come. */
export interface SpoolBounds {
  readonly files: number;
  readonly bytes: number;
}

/** Many times what a node tells between two visits. */
const defaultBounds: SpoolBounds = { files: 500, bytes: 16 * 1024 * 1024 };
const maxFileBytes = 8 * 1024 * 1024;

/** An event as the root side wrote it down. */
export type SpooledEvent = SpoolFile["events"][number];

/** A file of the spool. */
export interface Spooled extends SpoolFile {
  /** Its place in the order, from 1. */
  readonly number: number;
}

/** Up to where is told what is known elsewhere too, so that it is told once. */
export interface Told {
  /** The trial that ended last. */
  readonly trial?: string | undefined;
  /** Number of the last change of an update. */
  readonly update?: number | undefined;
  /** Number of the last answer to a command. */
  readonly command?: number | undefined;
}

/**
 * Writes events down, durably, and forgets the oldest ones beyond the bounds; what `told` names counts
 * as told. Throws `io/write-failed`, `secret/serialised`.
 */
export function writeSpool(
  io: Io,
  events: readonly NewEvent[],
  told: Told = {},
  bounds = defaultBounds,
): void {
  const { files, random, clock } = io;
  const own = events.map(({ kind, body }) => ({
    id: random.uuid(),
    kind,
    at: timestamp(clock),
    bootId: readBootId(files),
    body: fitEvent(body) as SpooledEvent["body"],
  }));
  // A boot and an update may tell at the same time: neither takes the other's number, nor what it has told.
  for (let isWritten = false; !isWritten; ) {
    const number = (numbers(files).at(-1) ?? 0) + 1;
    const last = lastFile(files);
    const update = told.update ?? last?.update;
    const command = told.command ?? last?.command;
    const content: SpoolFile = {
      v: 1,
      spool: last?.spool ?? random.uuid(),
      trial: told.trial ?? last?.trial ?? null,
      ...(update === undefined ? {} : { update }),
      ...(command === undefined ? {} : { command }),
      events: own,
    };
    isWritten = files.create(pathOf(number), `${canonicalJson(content)}\n`, { mode: 0o644 });
  }
  trim(files, bounds);
}

/** The last trial whose end was told. */
export function toldTrial(files: Files): string | undefined {
  return lastFile(files)?.trial ?? undefined;
}

/** Number of the last change of an update that was told. */
export function toldUpdate(files: Files): number {
  return lastFile(files)?.update ?? 0;
}

/** Number of the last answer to a command that was told. */
export function toldCommand(files: Files): number {
  return lastFile(files)?.command ?? 0;
}

/** The spool as the network side reads it. */
export interface Spool {
  /** Names the count of files; `undefined` where nothing was written yet. */
  readonly name: string | undefined;
  /** The files after a number, in order; what cannot be read is logged and passed over. */
  after(number: number): Generator<Spooled>;
}

/** Opens the spool for reading. */
export function openSpool(files: Files, log: Log): Spool {
  return {
    name: lastFile(files)?.spool,
    *after(taken) {
      for (const number of numbers(files)) {
        if (number <= taken) continue;
        const file = readFile(files, number);
        if (file === undefined) log.error("spool.unreadable", { file: pathOf(number) });
        else yield { ...file, number };
      }
    },
  };
}

function lastFile(files: Files): SpoolFile | undefined {
  const newest = numbers(files).toReversed();
  for (const number of newest) {
    const file = readFile(files, number);
    if (file !== undefined) return file;
  }
  return undefined;
}

function readFile(files: Files, number: number): SpoolFile | undefined {
  try {
    const text = files.readText(pathOf(number), { maxBytes: maxFileBytes });
    const content: unknown = JSON.parse(text ?? "");
    return validate(content) ? content : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isFault(error)) return undefined;
    throw error;
  }
}

function trim(files: Files, bounds: SpoolBounds): void {
  let bytes = 0;
  for (const [age, number] of numbers(files).toReversed().entries()) {
    bytes += files.stat(pathOf(number))?.size ?? 0;
    if (age > 0 && (age >= bounds.files || bytes > bounds.bytes)) files.remove(pathOf(number));
  }
}

function numbers(files: Files): readonly number[] {
  return files.list(spoolDirectory).flatMap((name) => {
    const [, digits] = /^([0-9]{12})\.json$/.exec(name) ?? [];
    return digits === undefined ? [] : [Number(digits)];
  });
}

function pathOf(number: number): string {
  return `${spoolDirectory}/${String(number).padStart(12, "0")}.json`;
}
