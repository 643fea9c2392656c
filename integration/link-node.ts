import type { Test } from "tap";
import { type DaemonOptions, runDaemon } from "#agent/daemon.ts";
import { type ConnectOptions, connector, type Session } from "#agent/link/client.ts";
import type { StateReaders } from "#agent/link/link-session.ts";
import { defaultLimits, type LinkSettings } from "#agent/link/link-settings.ts";
import { type Outbox, openOutbox } from "#agent/link/outbox.ts";
import type { Schedule } from "#agent/schedule.ts";
import { hostIo } from "#core/host-io.ts";
import type { Io } from "#core/io.ts";
import { createLog, type Log, type LogRecord } from "#core/log.ts";
import type { NewEvent } from "#protocol/events.ts";
import { nodeTopics } from "#protocol/topics.ts";
import { type Broker, temporaryDirectory } from "./brokers.ts";

// A node's network side for tests of the link: its settings, its outbox, its daemon in this process.

export const address = { fleet: "shops", node: "edge-17" };
export const topics = nodeTopics(address);
export const readers: StateReaders = {
  about: async () => ({ agent: "0.1.0", platform: "x86_64-linux", capabilities: ["report"] }),
  reported: async () => ({ generation: 1 }),
  update: async () => undefined,
  health: async () => ({ uptimeSeconds: 5 }),
};

export const stages = (count: number, from = 1): readonly NewEvent[] =>
  Array.from({ length: count }, (_, i) => ({
    kind: "boot.stage",
    body: { stage: `s${from + i}`, state: "finished", ms: 1 },
  }));

export const quickLimits = {
  ...defaultLimits,
  willDelaySeconds: 0,
  backOffFirstMs: 20,
  backOffMostMs: 200,
};

export function settingsFor(
  broker: Pick<Broker, "host" | "port">,
  more: Partial<LinkSettings> = {},
): LinkSettings {
  return {
    address,
    host: broker.host,
    port: broker.port,
    clientId: address.node,
    acknowledge: "broker",
    healthIntervalMs: 60_000,
    limits: quickLimits,
    ...more,
  };
}

/** A schedule whose tasks the test runs itself. */
export function handSchedule(): Schedule & { run(name: string): Promise<void> } {
  const tasks = new Map<string, () => Promise<void>>();
  return {
    every({ name }, task) {
      tasks.set(name, task);
      return () => tasks.delete(name);
    },
    run: async (name) => tasks.get(name)?.(),
  };
}

export interface Node {
  readonly io: Io;
  readonly log: Log;
  readonly records: readonly LogRecord[];
  readonly outbox: Outbox;
}

/** A node of its own, with its outbox open as the boot has it. */
export async function makeNode(t: Test): Promise<Node> {
  const io = hostIo({ root: temporaryDirectory(t, "firstlight-node-"), env: {} });
  const records: LogRecord[] = [];
  const log = createLog(io.clock, (record) => records.push(record));
  const outbox = await openOutbox(io, log);
  t.teardown(() => outbox.close());
  return { io, log, records, outbox };
}

/** Runs a daemon in this process; the returned function stops it and waits for its end. */
export function daemon(
  t: Test,
  node: Node,
  settings: LinkSettings,
  more: Partial<DaemonOptions> = {},
): () => Promise<void> {
  const stop = new AbortController();
  const { io, log } = node;
  const end = runDaemon({
    io,
    log,
    settings,
    readers,
    schedule: handSchedule(),
    isCurrent: () => true,
    signal: stop.signal,
    ...more,
  });
  end.catch(() => {});
  const stopped = async () => {
    stop.abort();
    await end;
  };
  t.teardown(() => stopped().catch(() => {}));
  return stopped;
}

export const noWill = () =>
  ({
    topic: topics.of("status"),
    payload: "{}",
    qos: 1,
    retained: true,
  }) as const;

export async function connect(
  t: Test,
  node: Node,
  settings: LinkSettings,
  more: Partial<ConnectOptions> = {},
): Promise<Session> {
  const session = await connector(node.io, node.log, settings).connect({
    will: noWill,
    onMessage: async () => {},
    ...more,
  });
  t.teardown(() => session.end());
  return session;
}
