import type { Duplex } from "node:stream";
import { Fault } from "#core/fault.ts";
import type { Clock } from "#core/io.ts";
import type { SystemEvent } from "../system.ts";
import { type SideFault, writeFault } from "./fault-record.ts";
import { formatLine } from "./lines.ts";
import { sidesVersion } from "./places.ts";

/** Bytes that a slow reader may leave unread; beyond it progress is left out. */
const maxUnread = 1024 * 1024;
/** So long a reader may take for a result. */
const readMs = 60_000;

/** What a door says to one connection. A reader that is slow or gone never holds up the work. */
export interface AnswerWriter {
  taken(): void;
  /** Progress; left out, and counted, while the reader does not read. */
  event(event: SystemEvent): void;
  /** The last line of an answer; resolves when it was taken off. Throws `side/timeout`. */
  result(result: unknown): Promise<void>;
  fault(error: unknown): Promise<void>;
}

/** Writes answers to `connection`. */
export function answerWriter(connection: Duplex, clock: Clock): AnswerWriter {
  let leftOut = 0;
  let stuck = false;

  function write(message: AnswerLine): void {
    if (connection.writable) connection.write(formatLine({ v: sidesVersion, ...message }));
  }

  function event(event: SystemEvent): void {
    if (connection.writableLength > maxUnread) {
      leftOut += 1;
      return;
    }
    tellLeftOut();
    write({ type: "event", event });
  }

  function tellLeftOut(): void {
    if (leftOut === 0) return;
    const line = `(${leftOut} events were left out, because they were not read in time)`;
    leftOut = 0;
    write({ type: "event", event: { type: "build-log", line, derivation: null } });
  }

  async function last(message: AnswerLine): Promise<void> {
    tellLeftOut();
    const line = formatLine({ v: sidesVersion, ...message });
    if (!connection.writable || stuck) return;
    stuck = true;
    await inTime(clock, new Promise<void>((done) => connection.write(line, () => done())));
    stuck = false;
  }

  return {
    taken: () => write({ type: "taken" }),
    event,
    result: (result) => last({ type: "result", result }),
    fault: (error) => last({ type: "fault", fault: writeFault(error) }),
  };
}

type AnswerLine =
  | { readonly type: "taken" }
  | { readonly type: "event"; readonly event: SystemEvent }
  | { readonly type: "result"; readonly result: unknown }
  | { readonly type: "fault"; readonly fault: SideFault };

/** Waits until a line was taken off, or nobody can take it any more. Throws `side/timeout`. */
async function inTime(clock: Clock, written: Promise<void>): Promise<void> {
  const finished = new AbortController();
  const late = clock.sleep(readMs, finished.signal).then(
    () => {
      throw new Fault("side/timeout", `an answer was not read within ${readMs} ms`);
    },
    () => {},
  );
  try {
    await Promise.race([written, late]);
  } finally {
    finished.abort();
  }
}
