import { type Io, readBootId, timestamp } from "#core/io.ts";
import type { About } from "#generated/protocol/messages/about.ts";
import type { Get } from "#generated/protocol/messages/get.ts";
import type { Health } from "#generated/protocol/messages/health.ts";
import type { Reported } from "#generated/protocol/messages/reported.ts";
import type { Status } from "#generated/protocol/messages/status.ts";
import type { UpdateState } from "#generated/protocol/messages/update.ts";
import { writeMessage } from "#protocol/message.ts";
import { type NodeTopics, type PlainTopic, topicRules } from "#protocol/topics.ts";
import type { Outgoing } from "./client.ts";
import type { OutboxEvent } from "./outbox.ts";

/** What the messages of one session have in common. */
export interface SessionIdentity {
  readonly topics: NodeTopics;
  /** The outbox's stream. */
  readonly stream: string;
  /** Number of the session. */
  readonly session: number;
  /** Made at the start of the process. */
  readonly epoch: string;
}

/** Makes the messages of one session; each call is a new message with the next number. */
export interface SessionMessages {
  /** Birth, last will or farewell; the will has number 0, because it is written before the session begins. */
  status(reason: Status["reason"]): Outgoing;
  about(body: About): Outgoing;
  reported(body: Reported): Outgoing;
  update(body: UpdateState): Outgoing;
  /** A sample that is worthless after three intervals. */
  health(body: Health, intervalMs: number): Outgoing;
  get(body: Get): Outgoing;
  /** An event keeps its own id, time, boot and number however often it is sent. */
  event(event: OutboxEvent): Outgoing;
}

/** Messages of a session that begins now. */
export function sessionMessages(
  io: Io,
  { topics, stream, session, epoch }: SessionIdentity,
): SessionMessages {
  const bootId = readBootId(io.files);
  const since = timestamp(io.clock);
  let seq = 0;
  const own = (
    name: PlainTopic,
    body: unknown,
    more: { readonly will?: boolean; readonly expirySeconds?: number } = {},
  ): Outgoing => {
    if (more.will !== true) seq += 1;
    const expiresAt =
      more.expirySeconds === undefined
        ? undefined
        : new Date(io.clock.now() + more.expirySeconds * 1000).toISOString();
    const payload = writeMessage({
      id: io.random.uuid(),
      at: timestamp(io.clock),
      bootId,
      stream: `${stream}/${session}`,
      seq: more.will === true ? 0 : seq,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      body,
    });
    const { qos, retained } = topicRules[name];
    const { expirySeconds } = more;
    return {
      topic: topics.of(name),
      payload,
      qos,
      retained,
      ...(expirySeconds === undefined ? {} : { expirySeconds }),
    };
  };
  return {
    status(reason) {
      const body: Status = { online: reason === "connected", session, epoch, since, reason };
      return own("status", body, { will: reason === "lost" });
    },
    about: (body) => own("about", body),
    reported: (body) => own("reported", body),
    update: (body) => own("update", body),
    health: (body, intervalMs) =>
      own("health", body, { expirySeconds: Math.max(1, Math.ceil((intervalMs * 3) / 1000)) }),
    get: (body) => own("get", body),
    event({ id, at, bootId: eventBootId, seq: number, kind, body }) {
      const { qos, retained } = topicRules.event;
      const correlation = (body as { readonly answers?: string }).answers;
      const answered = kind === "command.answered" && correlation !== undefined;
      const payload = writeMessage({
        ...{ id, at, bootId: eventBootId, stream, seq: number, body },
        ...(answered ? { correlation } : {}),
      });
      return { topic: topics.with("event", kind), payload, qos, retained };
    },
  };
}
