import { canonicalJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { About } from "#generated/protocol/messages/about.ts";
import type { Health } from "#generated/protocol/messages/health.ts";
import type { Reported } from "#generated/protocol/messages/reported.ts";
import type { UpdateState } from "#generated/protocol/messages/update.ts";
import { readFleetMessage } from "#protocol/message.ts";
import { nodeTopics, parseTopic } from "#protocol/topics.ts";
import type { Connector, Outgoing, Session } from "./client.ts";
import type { LinkSettings } from "./link-settings.ts";
import type { Outbox } from "./outbox.ts";
import { type Sender, sender } from "./sender.ts";
import { type SessionMessages, sessionMessages } from "./session-messages.ts";

/** Where the reports of a node come from; each is asked again whenever it is sent. */
export interface StateReaders {
  about(): Promise<About>;
  /** `undefined` before this boot has come to an end: what was published last still holds. */
  reported(): Promise<Reported | undefined>;
  /** Where the update stands; `undefined` on a node that never had one. */
  update(): Promise<UpdateState | undefined>;
  health(): Promise<Health>;
}

/** What a session of the link is made of. */
export interface LinkSessionOptions {
  readonly io: Io;
  readonly log: Log;
  readonly settings: LinkSettings;
  readonly readers: StateReaders;
  readonly outbox: Outbox;
  readonly connector: Connector;
  /** Called when the fleet has acknowledged events. */
  readonly onAcknowledged?: () => void;
  /** Gives up connecting. */
  readonly signal: AbortSignal;
  /** Cuts the connection at any time, without a farewell. */
  readonly cut?: AbortSignal;
}

/** A node that is connected and has told of itself. */
export interface LinkSession extends Sender {
  /** As {@link Session.gone}. */
  readonly gone: AbortSignal;
  /** Publishes what the node is and what runs on it, each when it is not what was published last. */
  publishState(): Promise<void>;
  publishHealth(): Promise<void>;
  /** Says farewell on `status` and ends; without a word when the connection is gone already. Never throws. */
  leave(reason: "stopped" | "reported"): Promise<void>;
}

/**
 * Connects and tells of the node: birth, subscription, what it asks for, what it is and what runs
 * on it. Throws what connecting and publishing throw.
 */
export async function openLinkSession(options: LinkSessionOptions): Promise<LinkSession> {
  const { io, settings, outbox, connector, signal } = options;
  const topics = nodeTopics(settings.address);
  const stream = outbox.stream();
  const messages = sessionMessages(io, { topics, stream, session: outbox.nextSession() });
  const session = await connector.connect({
    will: messages.status("lost"),
    onMessage: (topic, payload) => takeMessage(options, topic, payload),
    signal,
    ...(options.cut === undefined ? {} : { cut: options.cut }),
  });
  const link = toLinkSession(options, session, messages);
  try {
    await session.publish(messages.status("connected"));
    await session.subscribe([topics.of("ack")]);
    await session.publish(messages.get({ stream, acknowledged: outbox.acknowledged() }));
    await link.publishState();
    return link;
  } catch (error) {
    await link.leave("stopped");
    throw error;
  }
}

function toLinkSession(
  options: LinkSessionOptions,
  session: Session,
  messages: SessionMessages,
): LinkSession {
  const { io, log, settings, readers, outbox } = options;
  const last = new Map<string, string>();
  async function publishNew<T>(
    name: string,
    value: T | undefined,
    message: (value: T) => Outgoing,
  ) {
    if (value === undefined) return;
    const text = canonicalJson(value);
    if (text === last.get(name)) return;
    await session.publish(message(value));
    last.set(name, text);
  }
  return {
    ...sender({ clock: io.clock, session, outbox, messages, settings }),
    gone: session.gone,
    async publishState() {
      await publishNew("about", await read(log, "about", readers.about), messages.about);
      await publishNew(
        "reported",
        await read(log, "reported", readers.reported),
        messages.reported,
      );
      await publishNew("update", await read(log, "update", readers.update), messages.update);
    },
    async publishHealth() {
      const health = await read(log, "health", readers.health);
      if (health !== undefined)
        await session.publish(messages.health(health, settings.healthIntervalMs));
    },
    async leave(reason) {
      try {
        if (!session.gone.aborted) await session.publish(messages.status(reason));
      } catch (error) {
        log.warning("link.farewell.failed", { message: (error as Error).message });
      }
      await session.end();
    },
  };
}

/** What the fleet may say to a node in this version: that it has stored events. */
async function takeMessage(
  options: LinkSessionOptions,
  topic: string,
  payload: Uint8Array,
): Promise<void> {
  const { io, log, outbox } = options;
  const name = parseTopic(topic)?.name;
  if (name !== "ack")
    throw new Fault("link/message-refused", `${topic}: nothing is expected on this topic`);
  const { body } = await readFleetMessage(name, payload, { nowMs: io.clock.now() });
  if (body.stream !== outbox.stream()) {
    log.info("link.ack.ignored", { stream: body.stream, upTo: body.upTo });
    return;
  }
  outbox.acknowledge(body.upTo);
  options.onAcknowledged?.();
}

/** A report that cannot be made is left out and logged: it must not keep events from being sent. */
async function read<T>(log: Log, name: string, reader: () => Promise<T>): Promise<T | undefined> {
  try {
    return await reader();
  } catch (error) {
    log.error("link.report.failed", { report: name, message: (error as Error).message });
    return undefined;
  }
}
