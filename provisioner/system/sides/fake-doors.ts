import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { hostClock } from "#core/host-io.ts";
import type { Clock } from "#core/io.ts";
import { createLog } from "#core/log.ts";
import type { FakeMachine } from "../fake-machine.ts";
import { courierDoor } from "./courier-door.ts";
import type { Door } from "./door.ts";
import { operatorDoor } from "./operator-door.ts";
import { serveSides } from "./serve.ts";

/** A root side in this process, for tests: real sockets in a directory of their own. */
export interface FakeDoors {
  readonly operator: string;
  readonly courier: string;
  readonly ended: Promise<"idle" | "told">;
  /** Names of what was logged. */
  readonly logged: readonly string[];
  stop(): void;
}

export interface FakeDoorsOptions {
  readonly clock?: Clock;
  readonly idleMs?: number;
  readonly doors?: Partial<Record<"operator" | "courier", Door>>;
}

interface Test {
  teardown(close: () => unknown): unknown;
}

/** Opens the doors of a machine; they are closed when the test ends. */
export async function openFakeDoors(
  t: Test,
  machine: FakeMachine,
  { clock = hostClock, idleMs = 3_600_000, doors = {} }: FakeDoorsOptions = {},
): Promise<FakeDoors> {
  const directory = mkdtempSync(path.join(tmpdir(), "doors-"));
  const logged: string[] = [];
  const log = createLog(clock, ({ event }) => logged.push(event));
  const stop = new AbortController();
  const open = async () => machine.start({ beside: true }).system;
  const operator = path.join(directory, "operator");
  const courier = path.join(directory, "courier");
  const both = [
    { door: doors.operator ?? operatorDoor(open), server: await listen(operator) },
    {
      door: doors.courier ?? courierDoor(() => machine.start({ beside: true }).system),
      server: await listen(courier),
    },
  ];
  const ended = serveSides({ doors: both, clock, log, idleMs, signal: stop.signal });
  t.teardown(async () => {
    stop.abort();
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });
  return { operator, courier, ended, logged, stop: () => stop.abort() };
}

async function listen(file: string) {
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(file, resolve));
  return server;
}

/** A client that may break every rule. */
export interface RawClient {
  readonly socket: Socket;
  send(bytes: string | Uint8Array): void;
  ask(request: unknown): void;
  /** The next line, parsed; `undefined` when the other end has closed. */
  line(): Promise<RawAnswer | undefined>;
  /** The last line of an answer. */
  answer(): Promise<RawAnswer | undefined>;
}

export interface RawAnswer {
  readonly type: string;
  readonly event?: { readonly type: string; readonly line?: string };
  readonly result?: unknown;
  readonly fault?: { readonly code: string; readonly message: string };
}

/** Connects as a {@link RawClient}; closed when the test ends. */
export async function rawClient(t: Test, file: string): Promise<RawClient> {
  const socket = connect({ path: file, allowHalfOpen: true });
  socket.on("error", () => {});
  t.teardown(() => socket.destroy());
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  const lines = linesOf(socket);
  const line = async () => {
    const next = await lines.next();
    return next.done === true ? undefined : (JSON.parse(next.value) as RawAnswer);
  };
  return {
    socket,
    send: (bytes) => void socket.write(bytes),
    ask: (request) => void socket.write(`${JSON.stringify({ v: 1, request })}\n`),
    line,
    async answer() {
      for (;;) {
        const next = await line();
        if (next?.type !== "taken" && next?.type !== "event") return next;
      }
    },
  };
}

async function* linesOf(socket: Socket): AsyncGenerator<string, void, undefined> {
  let partial = "";
  try {
    for await (const chunk of socket as AsyncIterable<Uint8Array>) {
      const lines = (partial + Buffer.from(chunk).toString("utf8")).split("\n");
      partial = lines.pop() ?? "";
      yield* lines;
    }
  } catch {
    // Reset by the other end: closed all the same.
  }
}

/** A clock that stands still until it is told; `sleep` waits for it. */
export function manualClock(): Clock & { advance(ms: number): void; readonly sleepers: number } {
  let now = 0;
  const waiting = new Set<{ readonly until: number; readonly wake: () => void }>();
  return {
    now: () => now,
    monotonicMs: () => now,
    get sleepers() {
      return waiting.size;
    },
    advance(ms) {
      now += ms;
      for (const sleeper of waiting) if (sleeper.until <= now) sleeper.wake();
    },
    sleep(ms, signal) {
      return new Promise<void>((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason);
        const sleeper = {
          until: now + ms,
          wake: () => {
            waiting.delete(sleeper);
            resolve();
          },
        };
        waiting.add(sleeper);
        signal?.addEventListener("abort", () => {
          waiting.delete(sleeper);
          reject(signal.reason);
        });
      });
    },
  };
}
