import type { Duplex } from "node:stream";
import { describeFault, Fault, isFault } from "#core/fault.ts";
import type { Clock } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { type AnswerWriter, answerWriter } from "./answer-writer.ts";
import type { Asked, Door, DoorSession } from "./door.ts";
import { Inbox } from "./inbox.ts";

/** What serving a connection needs. */
export interface ConnectionOptions<R extends Asked> {
  readonly door: Door<R>;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether the door's pace allows another message now. */
  readonly mayAsk: () => boolean;
  /** Ends the connection; what must not be called off is finished. */
  readonly signal: AbortSignal;
}

/**
 * Serves one connection until its other end has gone or has broken the rules; never throws. Work
 * that is under way then is called off where that is allowed, and waited for.
 */
export async function serveConnection<R extends Asked>(
  connection: Duplex,
  options: ConnectionOptions<R>,
): Promise<void> {
  const { door, clock, log, signal } = options;
  const inbox = new Inbox(connection, door.limits.maxBytes);
  const writer = answerWriter(connection, clock);
  let session: DoorSession<R> | undefined;
  const openSession = async () => {
    session ??= await door.open();
    return session;
  };
  const ends = AbortSignal.any([inbox.gone, signal]);
  try {
    for (let first = true; ; first = false) {
      const line = await nextLine(inbox, options, first);
      if (line === undefined) return;
      await answerLine(line, { ...options, openSession, writer, signal: ends });
    }
  } catch (error) {
    const fault = signal.aborted ? new Fault("side/lost", "the root side was told to end") : error;
    const { code, message } = describeFault(fault);
    if (!signal.aborted) log.warning("side.connection.ended", { door: door.name, code, message });
    await writer.fault(fault).catch(() => {});
  } finally {
    session?.close();
    connection.destroy(); // every answer has been handed to the kernel, or was not taken off in time
  }
}

/** The next line, or `undefined` where the other end has gone. Throws `side/timeout`. */
async function nextLine<R extends Asked>(
  inbox: Inbox,
  { door, clock, signal }: ConnectionOptions<R>,
  first: boolean,
): Promise<Uint8Array | undefined> {
  const { firstMs, idleMs } = door.limits;
  const ms = first ? firstMs : idleMs;
  if (ms === null) return inbox.next(signal);
  const late = new AbortController();
  const done = new AbortController();
  clock.sleep(ms, done.signal).then(
    () => late.abort(new Fault("side/timeout", `no whole message came within ${ms} ms`)),
    () => {},
  );
  try {
    return await inbox.next(AbortSignal.any([late.signal, signal]));
  } finally {
    done.abort();
  }
}

interface Answering<R extends Asked> extends ConnectionOptions<R> {
  readonly openSession: () => Promise<DoorSession<R>>;
  readonly writer: AnswerWriter;
}

/** Answers one line; a fault of the work is an answer, one of the protocol is thrown. */
async function answerLine<R extends Asked>(
  line: Uint8Array,
  { door, clock, log, mayAsk, openSession, writer, signal }: Answering<R>,
): Promise<void> {
  if (!mayAsk()) throw new Fault("side/busy", "this door is asked too often");
  const request = door.read(line);
  const fields = { door: door.name, kind: request.kind };
  const started = clock.monotonicMs();
  const ms = () => Math.round(clock.monotonicMs() - started);
  writer.taken();
  try {
    const session = await openSession();
    const result = await session.answer(request, writer.event, signal);
    log.info("side.answered", { ...fields, ms: ms() });
    await writer.result(result);
  } catch (error) {
    if (isFault(error, "side/timeout")) throw error;
    const { code } = describeFault(error);
    log.info("side.answered", { ...fields, ms: ms(), code });
    await writer.fault(error);
  }
}
