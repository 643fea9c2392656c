import { connect, type Socket } from "node:net";
import { Fault, isFault } from "#core/fault.ts";
import type { Clock } from "#core/io.ts";
import type { Answer } from "#generated/provisioner/system/sides/answer.ts";
import { validate } from "#generated/provisioner/system/sides/answer.validate.js";
import { readFault } from "./fault-record.ts";
import { formatLine, LineSplitter, parseLine } from "./lines.ts";
import { sidesVersion } from "./places.ts";

/** How to reach a door. */
export interface DoorAddress {
  /** Path of the socket on this host. */
  readonly path: string;
  readonly clock: Clock;
}

/** A connection to a door: one request after another. */
export interface SideConnection {
  /** Whether nothing is known to be wrong with it. */
  readonly usable: boolean;
  /**
   * Asks; events as they come, last the result. The signal calls it off and ends the connection,
   * once the other side has said what became of it. Throws what the other side answers, and
   * `side/lost`, `side/timeout`.
   */
  ask(request: object, signal?: AbortSignal): AsyncGenerator<EventOrResult, void, undefined>;
  close(): void;
}

/** What an asker is told. */
export type EventOrResult = Extract<Answer, { type: "event" | "result" }>;

/** Larger than any result; a line without an end is none. */
const maxAnswerBytes = 160 * 1024 * 1024;
/** From a request to the word that it is worked on: a root side that has to be started may take long. */
const takenMs = 60_000;

/** Connects. Throws `side/unreachable`. */
export async function connectSide({ path, clock }: DoorAddress): Promise<SideConnection> {
  const socket = await connected(path);
  const lines = readLines(socket);
  let usable = true;

  async function* ask(
    request: object,
    signal?: AbortSignal,
  ): AsyncGenerator<EventOrResult, void, undefined> {
    const callOff = () => socket.end();
    let finished = false;
    socket.ref();
    socket.write(formatLine({ v: sidesVersion, request }));
    if (signal?.aborted === true) callOff();
    else signal?.addEventListener("abort", callOff, { once: true });
    try {
      for (let first = true; ; first = false) {
        const answer = await (first ? firstAnswer(lines, { path, clock }) : nextAnswer(lines));
        finished = answer.type === "result" || answer.type === "fault";
        if (answer.type === "fault") throw readFault(answer.fault);
        if (answer.type !== "taken") yield answer;
        if (finished) return;
      }
    } finally {
      signal?.removeEventListener("abort", callOff);
      usable = finished && signal?.aborted !== true;
      if (usable) socket.unref();
      else socket.destroy();
    }
  }

  return {
    get usable() {
      return usable && !socket.destroyed;
    },
    ask,
    close: () => socket.destroy(),
  };
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const fail = (cause: Error) =>
      reject(new Fault("side/unreachable", `${path}: ${cause.message}`, { cause }));
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.off("error", fail);
      socket.on("error", () => {}); // whoever reads is told
      resolve(socket);
    });
  });
}

async function* readLines(socket: Socket): AsyncGenerator<Uint8Array, void, undefined> {
  const splitter = new LineSplitter(maxAnswerBytes);
  for await (const chunk of socket as AsyncIterable<Uint8Array>) yield* splitter.push(chunk);
}

async function nextAnswer(lines: AsyncGenerator<Uint8Array, void, undefined>): Promise<Answer> {
  const lost = (cause?: unknown) =>
    new Fault("side/lost", "the root side went away before it had answered", { cause });
  const next = await lines.next().catch((error: unknown) => {
    throw error instanceof Fault ? error : lost(error);
  });
  if (next.done === true) throw lost();
  const answer = parseLine(next.value);
  if (validate(answer)) return answer;
  throw new Fault("side/version", "the root side answers in a way that is not known here");
}

/** Throws `side/unreachable` when the request was never taken, `side/timeout` when nothing was said. */
async function firstAnswer(
  lines: AsyncGenerator<Uint8Array, void, undefined>,
  { path, clock }: DoorAddress,
): Promise<Answer> {
  try {
    return await inTime(clock, nextAnswer(lines));
  } catch (error) {
    if (!isFault(error, "side/lost")) throw error;
    throw new Fault("side/unreachable", `${path}: nobody took the request`, { cause: error });
  }
}

async function inTime<T>(clock: Clock, answer: Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = clock.sleep(takenMs, done.signal).then((): never => {
    throw new Fault("side/timeout", `the root side took no request within ${takenMs} ms`);
  });
  late.catch(() => {}); // also when it is called off
  try {
    return await Promise.race([answer, late]);
  } finally {
    done.abort();
  }
}
