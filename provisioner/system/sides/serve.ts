import type { Server, Socket } from "node:net";
import { Fault } from "#core/fault.ts";
import type { Clock } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { answerWriter } from "./answer-writer.ts";
import { serveConnection } from "./connection.ts";
import type { Door } from "./door.ts";
import { pace } from "./pace.ts";
import { pacedLog } from "./paced-log.ts";

/** A door and the socket that it stands behind. */
export interface OpenDoor {
  readonly door: Door;
  readonly server: Server;
}

export interface ServeOptions {
  readonly doors: readonly OpenDoor[];
  readonly clock: Clock;
  readonly log: Log;
  /** Ends when nobody has been connected for so long. */
  readonly idleMs: number;
  /** Ends it: building is called off, an activation is finished. */
  readonly signal: AbortSignal;
}

/**
 * Serves all doors until nobody needs them any more, or the signal comes. The doors share nothing
 * but the process: each has its own limits, so that one that is flooded does not shut another.
 */
export async function serveSides(options: ServeOptions): Promise<"idle" | "told"> {
  const { doors, clock, idleMs, signal } = options;
  const open = new Set<Promise<void>>();
  let wake = () => {};
  const follow = (work: Promise<void>) => {
    const ended = work.finally(() => {
      open.delete(ended);
      wake();
    });
    open.add(ended);
    wake();
  };
  const stop = () => wake();
  signal.addEventListener("abort", stop, { once: true });
  for (const each of doors) openDoor(each, options, follow);
  try {
    for (;;) {
      const change = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (signal.aborted) return "told";
      if (open.size > 0) await change;
      else if (await isLonger(clock, idleMs, change)) return "idle";
    }
  } finally {
    signal.removeEventListener("abort", stop);
    for (const { server } of doors) server.close();
    while (open.size > 0) await Promise.all(open);
  }
}

/** Takes connections at a door, as many as it may have. */
function openDoor(
  { door, server }: OpenDoor,
  { clock, log, signal }: ServeOptions,
  follow: (work: Promise<void>) => void,
): void {
  const { limits } = door;
  const mayAsk = limits.pace === undefined ? () => true : pace(limits.pace, clock);
  const quiet = pacedLog(log, clock);
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    socket.on("error", () => {}); // its going away is seen by who reads from it
    if (connections >= limits.connections) return refuse(socket, clock, door);
    connections += 1;
    const work = serveConnection(socket, { door, clock, log: quiet, mayAsk, signal });
    follow(
      work
        .catch((error) => log.error("side.failed", { door: door.name, message: String(error) }))
        .finally(() => {
          connections -= 1;
        }),
    );
  });
}

function refuse(socket: Socket, clock: Clock, { name }: Door): void {
  const fault = new Fault("side/busy", `the ${name}'s door has no place for another connection`);
  answerWriter(socket, clock)
    .fault(fault)
    .catch(() => {})
    .finally(() => socket.destroy());
}

/** Whether `ms` pass before the change. */
async function isLonger(clock: Clock, ms: number, change: Promise<void>): Promise<boolean> {
  const done = new AbortController();
  try {
    const passed = clock.sleep(ms, done.signal).then(
      () => true,
      () => false,
    );
    return await Promise.race([passed, change.then(() => false)]);
  } finally {
    done.abort();
  }
}
