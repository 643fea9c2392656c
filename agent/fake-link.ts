import type { Test } from "tap";
import { type FakeIo, fakeIo } from "#core/fake-io.ts";
import { Fault } from "#core/fault.ts";
import { createLog, type LogRecord } from "#core/log.ts";
import type { Envelope } from "#generated/protocol/messages/envelope.ts";
import type { NewEvent } from "#protocol/events.ts";
import { type DaemonOptions, runDaemon } from "./daemon.ts";
import type { Connector, Outgoing } from "./link/client.ts";
import type { StateReaders } from "./link/link-session.ts";
import { defaultLimits, type LinkSettings } from "./link/link-settings.ts";
import { openOutbox } from "./link/outbox.ts";

/** A broker without a network, for tests under a clock that never waits. */
export interface FakeBroker {
  readonly connector: (settings: LinkSettings) => Connector;
  /** Whether it answers now. */
  isThere: boolean;
  /** Tries to connect, so far. */
  tries: number;
  /** What was published, in order, wills left out. */
  readonly published: readonly Published[];
  /** Lets everybody else go on for a while, so that something may have been published. */
  next(): Promise<void>;
  /** Ends the connection. */
  lose(): void;
}

export interface Published extends Outgoing {
  readonly envelope: Envelope;
}

/** Calls `onTry` with each try to connect. */
export function fakeBroker(onTry: () => void = () => {}): FakeBroker {
  const published: Published[] = [];
  let gone = new AbortController();
  const broker: FakeBroker = {
    isThere: true,
    tries: 0,
    published,
    next: () => new Promise((resolve) => setImmediate(resolve)),
    lose: () => gone.abort(new Fault("link/lost", "gone")),
    connector: () => ({
      reach: async () => {},
      async connect({ will }) {
        broker.tries += 1;
        onTry();
        if (!broker.isThere) throw new Fault("link/unreachable", "nobody there");
        will?.();
        gone = new AbortController();
        return {
          ...{ version: 5, resumed: false, receiveMaximum: 100, gone: gone.signal },
          async publish(message) {
            gone.signal.throwIfAborted();
            const envelope = (
              message.payload === "" ? {} : JSON.parse(message.payload)
            ) as Envelope;
            published.push({ ...message, envelope });
          },
          subscribe: async () => {},
          end: async () => gone.abort(new Fault("link/lost", "ended")),
        };
      },
    }),
  };
  return broker;
}

/** A node with a fake machine and its outbox. */
export async function fakeNode(t: Test) {
  const io: FakeIo = fakeIo(t.testdir());
  const records: LogRecord[] = [];
  const log = createLog(io.clock, (record) => {
    if (record.level !== "debug") records.push(record);
  });
  const outbox = await openOutbox(io, log);
  t.teardown(() => outbox.close());
  return { io, log, records, outbox };
}

const settings: LinkSettings = {
  address: { fleet: "shops", node: "edge-17" },
  ...{ host: "mqtt.example.org", port: 8883, clientId: "edge-17" },
  ...{ acknowledge: "broker", healthIntervalMs: 60_000, limits: defaultLimits },
};

const readers: StateReaders = {
  about: async () => ({ agent: "0.1.0", platform: "x86_64-linux", capabilities: ["report"] }),
  reported: async () => ({ generation: 1 }),
  update: async () => undefined,
  health: async () => ({ uptimeSeconds: 1 }),
};

/** Runs a daemon on that broker; its schedule is run by hand. Returns how to run a task of it, and how to end it. */
export function fakeDaemon(
  { io, log }: Pick<Awaited<ReturnType<typeof fakeNode>>, "io" | "log">,
  { connector }: FakeBroker,
  more: Partial<DaemonOptions> = {},
) {
  const tasks = new Map<string, () => Promise<void>>();
  const stop = new AbortController();
  const ended = runDaemon({
    ...{ io, log, settings, readers, connector, isCurrent: () => true, signal: stop.signal },
    schedule: {
      every({ name }, task) {
        tasks.set(name, task);
        return () => tasks.delete(name);
      },
    },
    ...more,
  });
  return {
    ended,
    run: async (name: string) => tasks.get(name)?.(),
    async stop() {
      stop.abort();
      await ended;
    },
  };
}

/** Events of a boot: stages, and how it ended. */
export function bootEvents(stages: number): readonly NewEvent[] {
  return [
    ...Array.from({ length: stages }, (_, i) => ({
      kind: "boot.stage" as const,
      body: { stage: `s${i}`, state: "finished" as const, ms: 1 },
    })),
    {
      kind: "boot.finished",
      body: { outcome: "unchanged", degraded: false, message: "as before", ms: 1, stages: [] },
    },
  ];
}
