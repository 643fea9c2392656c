import { canonicalJson } from "#core/canonical-json.ts";
import { type EnvelopeParts, writeMessage } from "#protocol/message.ts";
import { nodeTopics, type ParameterTopic, type PlainTopic } from "#protocol/topics.ts";
import type { Incoming } from "./ingest.ts";

/** A node for tests: messages as the agent writes them. */
export interface FakeNode {
  readonly outbox: string;
  event(seq: number, kind: string, body: object, parts?: Partial<EnvelopeParts>): Incoming;
  report(
    topic: PlainTopic,
    at: { readonly session: number; readonly seq: number },
    body: object,
  ): Incoming;
  status(session: number, seq: number, online: boolean): Incoming;
}

export const fleet = "acme";

/** Ids by a number, in the form of a UUID. */
export function uuidOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

const at = "2026-01-31T12:00:00.000Z";

export function fakeNode(node: string, outboxNumber: number): FakeNode {
  const outbox = uuidOf(outboxNumber);
  const topics = nodeTopics({ fleet, node });
  const write = (topic: string, parts: Omit<EnvelopeParts, "at" | "bootId">): Incoming => ({
    topic,
    payload: new TextEncoder().encode(writeMessage({ at, bootId: "b", ...parts })),
  });
  const made: FakeNode = {
    outbox,
    event: (seq, kind, body, parts = {}) =>
      write(topics.with("event" satisfies ParameterTopic, kind), {
        ...{ id: uuidOf(seq), stream: outbox, seq, body },
        ...parts,
      }),
    report: (topic, { session, seq }, body) =>
      write(topics.of(topic), {
        ...{ id: uuidOf(session * 1_000 + seq), stream: `${outbox}/${session}`, seq, body },
      }),
    status: (session, seq, online) =>
      made.report(
        "status",
        { session, seq },
        { online, session, since: at, reason: online ? "connected" : "lost" },
      ),
  };
  return made;
}

/** The same message with something of its envelope changed. */
export function changed({ topic, payload }: Incoming, parts: object): Incoming {
  const envelope = JSON.parse(new TextDecoder().decode(payload));
  return { topic, payload: new TextEncoder().encode(canonicalJson({ ...envelope, ...parts })) };
}
