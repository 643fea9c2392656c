import { connectAsync, type MqttClient } from "mqtt";
import { nodeTopics, parseTopic } from "#protocol/topics.ts";
import type { Broker } from "./brokers.ts";

/** A message as the fleet's side sees it. */
export interface Heard {
  readonly topic: string;
  /** Whether the broker had kept it from before. */
  readonly retained: boolean;
  readonly envelope: {
    readonly [key: string]: unknown;
    readonly seq: number;
    readonly stream: string;
  };
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a test hears of all nodes, and what it can say to them. */
export interface FleetListener {
  readonly heard: readonly Heard[];
  /** The first message that fits, now or later. Throws after the deadline. */
  wait(what: string, fits: (heard: Heard) => boolean): Promise<Heard>;
  /** Waits until `done` says so of all that was heard. Throws after the deadline. */
  waitUntil(what: string, done: (all: readonly Heard[]) => boolean): Promise<void>;
  /** Numbers of all events so far, in order of arrival. */
  seqs(): readonly number[];
  /** From now on answers every event with an ack up to where nothing is missing. */
  acknowledge(): void;
  publish(topic: string, payload: string | Buffer, retained?: boolean): Promise<void>;
  end(): Promise<void>;
}

const defaultWaitMs = 20_000;

/** How to reach the broker as the fleet's side, and how patient to be. */
export interface ListenOptions {
  readonly username?: string;
  readonly password?: string;
  /** Longest wait for a message (default 20,000). */
  readonly waitMs?: number;
}

/** Subscribes to everything of firstlight, and comes back when the broker does. */
export async function listen(
  t: { teardown(end: () => void | Promise<void>): void },
  broker: Pick<Broker, "host" | "port"> | { readonly path: string; readonly unixSocket: true },
  { waitMs = defaultWaitMs, ...options }: ListenOptions = {},
): Promise<FleetListener> {
  const client = await connectAsync({
    ...broker,
    protocol: "mqtt",
    reconnectPeriod: 50,
    ...options,
  });
  client.on("error", () => {});
  const heard: Heard[] = [];
  const watchers = new Set<() => void>();
  const stored = new Set<number>();
  let complete = 0;
  let acknowledging = false;
  client.on("message", (topic, payload, packet) => {
    const message = toHeard(topic, payload, packet.retain);
    if (message === undefined) return;
    heard.push(message);
    if (parseTopic(topic)?.name === "event") {
      stored.add(message.envelope.seq);
      while (stored.has(complete + 1)) complete += 1;
      if (acknowledging) sendAck(client, message, complete);
    }
    for (const look of watchers) look();
  });
  await client.subscribeAsync("firstlight/#", { qos: 1 });
  t.teardown(() => void client.end(true));
  const waitUntil = (what: string, done: (all: readonly Heard[]) => boolean) =>
    new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => {
        watchers.delete(look);
        const last = heard.slice(-5).map(({ topic, body }) => `${topic} ${JSON.stringify(body)}`);
        reject(
          new Error(
            `did not hear ${what}; ${heard.length} heard, last: ${last.join(" | ").slice(0, 2000)}`,
          ),
        );
      }, waitMs);
      const look = () => {
        if (!done(heard)) return;
        clearTimeout(late);
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
    });
  return {
    heard,
    async wait(what, fits) {
      let found: Heard | undefined;
      let looked = 0;
      await waitUntil(what, (all) => {
        found = all.slice(looked).find(fits);
        looked = all.length;
        return found !== undefined;
      });
      return found as Heard;
    },
    waitUntil,
    seqs: () =>
      heard
        .filter(({ topic }) => parseTopic(topic)?.name === "event")
        .map(({ envelope }) => envelope.seq),
    acknowledge() {
      acknowledging = true;
    },
    async publish(topic, payload, retained = false) {
      await client.publishAsync(topic, payload, { qos: 1, retain: retained });
    },
    end: () => client.endAsync(true),
  };
}

/** An ack as the server sends it. */
export function ackMessage(stream: string, upTo: number): string {
  const [id, at] = ["0b5c0f0e-6c0b-4c3a-9d0e-3f3f6a1f2b11", "2026-01-31T12:00:00.000Z"];
  return JSON.stringify({ v: 1, id, at, body: { stream, upTo } });
}

function sendAck(client: MqttClient, { topic, envelope }: Heard, upTo: number): void {
  const parsed = parseTopic(topic);
  if (parsed === undefined) return;
  client.publish(nodeTopics(parsed).of("ack"), ackMessage(envelope.stream, upTo), { qos: 1 });
}

function toHeard(topic: string, payload: Buffer, retained: boolean): Heard | undefined {
  try {
    const envelope = JSON.parse(payload.toString()) as Heard["envelope"] & {
      readonly body: Heard["body"];
    };
    return { topic, retained, envelope, body: envelope.body };
  } catch {
    return undefined;
  }
}
