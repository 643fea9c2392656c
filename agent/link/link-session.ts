import { canonicalJson } from "#core/canonical-json.ts";
import type { Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import type { About } from "#generated/protocol/messages/about.ts";
import type { Health } from "#generated/protocol/messages/health.ts";
import type { Reported } from "#generated/protocol/messages/reported.ts";
import type { UpdateState } from "#generated/protocol/messages/update.ts";
import { nodeTopics, type PlainTopic } from "#protocol/topics.ts";
import type { TrustedVersions } from "#protocol/trust/trusted.ts";
import { type PaceLimit, pace } from "#provisioner/system/sides/pace.ts";
import type { Connector, Outgoing, Session } from "./client.ts";
import type { LinkSettings } from "./link-settings.ts";
import type { Outbox } from "./outbox.ts";
import type { Reception } from "./reception.ts";
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
  /** Versions of what the node believes; `undefined` where it takes no signed updates. */
  trusted?(): Promise<TrustedVersions | undefined>;
}

/** What a session of the link is made of. */
export interface LinkSessionOptions {
  readonly io: Io;
  readonly log: Log;
  readonly settings: LinkSettings;
  readonly readers: StateReaders;
  readonly outbox: Outbox;
  readonly connector: Connector;
  /** Made at the start of the process; births of another one are of another machine. */
  readonly epoch: string;
  readonly reception: Reception;
  /** Counts the session, when it is about to begin. */
  readonly nextNumber: () => number;
  /** Times in a row that what came ended the session: then events are sent before anything is asked for again. */
  readonly unanswered?: number;
  /** Gives up connecting. */
  readonly signal: AbortSignal;
  /** Cuts the connection at any time, without a farewell. */
  readonly cut?: AbortSignal;
}

/** A node that is connected and has told of itself. */
export interface LinkSession extends Sender {
  /** As {@link Session.gone}. */
  readonly gone: AbortSignal;
  /**
   * Publishes what the node is and what runs on it, each when it is not what was published last, and
   * not more often than the fleet can bear: what changes again and again is told as it is later.
   */
  publishState(): Promise<void>;
  /** Whether something changed that was not published yet. */
  stateWaits(): boolean;
  /** Says where the update stands and how far it is, where that is news; progress alone is paced apart. */
  publishUpdate(): Promise<void>;
  publishHealth(): Promise<void>;
  /** Says farewell on `status` and ends; without a word when the connection is gone already. Never throws. */
  leave(reason: "stopped" | "reported" | "moved"): Promise<void>;
}

/** Changes of one kind that are told: a few at once, then one in a while. */
const statePace = { burst: 5, everyMs: 10_000 };
/** An update has 28 changes at most; they are told as they come, and its end above all. */
const updatePace = { burst: 30, everyMs: 10_000 };
/** How far it is takes nothing of that: one share in a while. */
const progressPace = { burst: 1, everyMs: 10_000 };
const paceOf: Readonly<Record<string, PaceLimit>> = { update: updatePace, progress: progressPace };
/** Kept topics that say nothing of a node with a new outbox until it says so itself. */
const leftovers: readonly PlainTopic[] = ["reported", "update"];

/**
 * Connects and tells of the node: birth, subscriptions, what it asks for, what it is and what runs
 * on it. Where the root side did not answer the last time, the fleet hears first what waits in the
 * outbox: a dead root side must not keep the node from telling of it. Throws what connecting and
 * publishing throw.
 */
export async function openLinkSession(options: LinkSessionOptions): Promise<LinkSession> {
  const { io, log, settings, readers, outbox, connector, reception, signal, epoch } = options;
  const { nextNumber, unanswered = 0 } = options;
  const topics = nodeTopics(settings.address);
  const stream = outbox.stream();
  let number = 0;
  let messages: SessionMessages | undefined;
  const session = await connector.connect({
    will() {
      number = nextNumber();
      messages = sessionMessages(io, { topics, stream, session: number, epoch });
      return messages.status("lost");
    },
    fresh: unanswered > 1, // what was on its way would end this connection before a word is said
    onMessage: reception.take,
    signal,
    ...(options.cut === undefined ? {} : { cut: options.cut }),
  });
  if (messages === undefined) throw new Error("a connection was made without its last will");
  const link = toLinkSession(options, session, messages);
  try {
    await session.publish(messages.status("connected"));
    if (number === 1) await forgetLeftovers(session, topics.of);
    await session.subscribe([topics.of("ack")]);
    if (unanswered > 0) {
      await link.publishState();
      await link.drain();
    }
    if (reception.isWhole) await session.subscribe([topics.of("desired"), topics.all("cmd")]);
    const trusted = await read(log, "trusted", async () => readers.trusted?.());
    const asked = { stream, acknowledged: outbox.acknowledged() };
    await session.publish(
      messages.get({ ...asked, ...(trusted === undefined ? {} : { trusted }) }),
    );
    await link.publishState();
    return link;
  } catch (error) {
    await link.leave("stopped");
    throw error;
  }
}

/** What a machine of the same name left at the broker before it was set up anew. */
async function forgetLeftovers(session: Session, topic: (name: PlainTopic) => string) {
  for (const name of leftovers)
    await session.publish({ topic: topic(name), payload: "", qos: 1, retained: true });
}

function toLinkSession(
  options: LinkSessionOptions,
  session: Session,
  messages: SessionMessages,
): LinkSession {
  const { io, log, settings, readers, outbox } = options;
  const last = new Map<string, string>();
  const paces = new Map<string, () => boolean>();
  const waiting = new Set<string>();
  async function publishNew<T>(
    name: string,
    value: T | undefined,
    message: (value: T) => Outgoing,
    paced = name,
  ) {
    waiting.delete(name);
    if (value === undefined) return;
    const text = canonicalJson(value);
    if (text === last.get(name)) return;
    const may = paces.get(paced) ?? pace(paceOf[paced] ?? statePace, io.clock);
    paces.set(paced, may);
    if (!may()) {
      if (paced !== "progress") waiting.add(name); // of that the next look has a newer one
      return;
    }
    await session.publish(message(value));
    last.set(name, text);
  }
  let toldSeq: number | undefined;
  async function publishUpdate(): Promise<void> {
    const update = await read(log, "update", readers.update);
    const isProgress = update !== undefined && update.seq === toldSeq;
    await publishNew("update", update, messages.update, isProgress ? "progress" : "update");
    if (!waiting.has("update")) toldSeq = update?.seq;
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
      await publishUpdate();
    },
    publishUpdate,
    stateWaits: () => waiting.size > 0,
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

/** A report that cannot be made is left out and logged: it must not keep events from being sent. */
async function read<T>(log: Log, name: string, reader: () => Promise<T>): Promise<T | undefined> {
  try {
    return await reader();
  } catch (error) {
    log.error("link.report.failed", { report: name, message: (error as Error).message });
    return undefined;
  }
}
