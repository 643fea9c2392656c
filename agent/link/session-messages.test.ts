import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { nodeTopics, topicRules } from "#protocol/topics.ts";
import { sessionMessages } from "./session-messages.ts";

const topics = nodeTopics({ fleet: "shops", node: "edge-17" });
const stream = "6f1d7c1e-2f5a-4a57-8a53-0d1b6e9d2c44";

t.test("every message fits its schema, its topic and the rules of its topic", async (t) => {
  const io = fakeIo(t.testdir({ proc: { sys: { kernel: { random: { boot_id: "boot-1\n" } } } } }));
  const messages = sessionMessages(io, {
    topics,
    stream,
    session: 3,
    epoch: "0b5c0f0e-6c0b-4c3a-9d0e-3f3f6a1f2b11",
  });
  const made = {
    status: messages.status("connected"),
    about: messages.about({ agent: "0.1.0", platform: "x86_64-linux", capabilities: [] }),
    reported: messages.reported({ generation: 4 }),
    health: messages.health({ load1: 0.5 }, 60_000),
    get: messages.get({ stream, acknowledged: 7 }),
  };
  const { validate } = await import("#generated/protocol/messages/envelope.validate.js");
  for (const [seq, [name, message]] of Object.entries(made).entries()) {
    const envelope = JSON.parse(message.payload);
    t.ok(validate(envelope), `${name}: ${JSON.stringify(validate.errors)}`);
    const body = await import(`#generated/protocol/messages/${name}.validate.js`);
    t.ok(body.validate(envelope.body), `${name}: ${JSON.stringify(body.validate.errors)}`);
    const { qos, retained } = topicRules[name as keyof typeof made];
    t.match(message, { topic: topics.of(name as keyof typeof made), qos, retained });
    t.match(envelope, { seq: seq + 1, stream: `${stream}/3`, bootId: "boot-1" });
  }
  t.match(made.health, { expirySeconds: 180 });
  t.match(JSON.parse(made.health.payload), { expiresAt: "2026-01-01T00:03:00.000Z" });
});

t.test("a last will is number 0 and takes none from the session", async (t) => {
  const messages = sessionMessages(fakeIo(t.testdir()), {
    topics,
    stream,
    session: 3,
    epoch: "0b5c0f0e-6c0b-4c3a-9d0e-3f3f6a1f2b11",
  });
  t.match(JSON.parse(messages.status("lost").payload), {
    seq: 0,
    body: { online: false, session: 3, reason: "lost" },
  });
  t.match(JSON.parse(messages.status("connected").payload), {
    seq: 1,
    body: { online: true, reason: "connected" },
  });
  t.match(JSON.parse(messages.status("stopped").payload), {
    seq: 2,
    body: { online: false, reason: "stopped" },
  });
});

t.test("an event keeps what it was written with, however often it is sent", async (t) => {
  const messages = sessionMessages(fakeIo(t.testdir()), {
    topics,
    stream,
    session: 3,
    epoch: "0b5c0f0e-6c0b-4c3a-9d0e-3f3f6a1f2b11",
  });
  const event = {
    seq: 9,
    id: "0b5c0f0e-6c0b-4c3a-9d0e-3f3f6a1f2b11",
    kind: "boot.started",
    at: "2026-01-31T12:00:00.000Z",
    bootId: "an earlier one",
    body: { by: "boot" },
  };
  const first = messages.event(event);
  t.same(messages.event(event), first);
  t.equal(first.topic, "firstlight/1/shops/edge-17/event/boot.started");
  const { kind: _kind, ...rest } = event;
  t.same(JSON.parse(first.payload), { v: 1, stream, ...rest });
});
