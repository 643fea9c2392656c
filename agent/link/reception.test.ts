import t, { type Test } from "tap";
import { sha256 } from "#core/canonical-json.ts";
import { type FakeIo, fakeIo } from "#core/fake-io.ts";
import { Fault } from "#core/fault.ts";
import { createLog, type LogRecord } from "#core/log.ts";
import { nodeTopics } from "#protocol/topics.ts";
import { openOutbox } from "./outbox.ts";
import { type ReceptionOptions, reception, type SubmitAnswer } from "./reception.ts";

const topics = nodeTopics({ fleet: "shops", node: "edge-17" });
const bytes = (text: string) => Buffer.from(text);
const id = "0b5c0f0e-6c0b-4c3a-9d0e-3f3f6a1f2b11";
const live = { retained: false };
const kept = { retained: true };

async function world(t: Test, more: Partial<ReceptionOptions> = {}) {
  const io: FakeIo = fakeIo(t.testdir());
  const records: LogRecord[] = [];
  const log = createLog(io.clock, (record) => records.push(record));
  const outbox = await openOutbox(io, log);
  t.teardown(() => outbox.close());
  const submitted: (readonly [string, string])[] = [];
  const answers: (SubmitAnswer | Error)[] = [];
  // A clock on which nobody's patience ends.
  const patient = { ...io.clock, sleep: () => new Promise<void>(() => {}) };
  const { take } = reception({
    ...{ io: { clock: patient }, log, outbox, topics },
    submit: async ({ topic, bytes: message }) => {
      submitted.push([topic, Buffer.from(message).toString()]);
      const answer = answers.shift() ?? { kind: "unchanged" };
      if (answer instanceof Error) throw answer;
      return answer;
    },
    ...more,
  });
  const events = () => outbox.pending(0, 1000).map(({ kind, body }) => ({ kind, body }));
  return { io, take, submitted, answers, events, records };
}

t.test("bytes go to the root side as they came, whatever is in them", async (t) => {
  const { take, submitted, events } = await world(t);
  const bomb = "[".repeat(200_000);
  for (const text of ["{}", "no JSON", bomb]) await take(topics.of("desired"), bytes(text), kept);
  await take(topics.with("cmd", "ping"), bytes("{}"), live);
  t.same(
    submitted.map(([kind]) => kind),
    ["desired", "desired", "desired", "cmd"],
  );
  t.equal(submitted[2]?.[1], bomb);
  t.same(
    events().map(({ kind }) => kind),
    ["command.answered"],
  );
});

t.test(
  "what nobody should send is refused by name, and the root side does not hear of it",
  async (t) => {
    const { take, submitted } = await world(t);
    const foreign = nodeTopics({ fleet: "shops", node: "edge-18" });
    const cases = [
      [foreign.of("desired"), "{}", live, /another node/],
      [nodeTopics({ fleet: "other", node: "edge-17" }).of("desired"), "{}", live, /another node/],
      [topics.of("status"), "{}", live, /nothing is expected/],
      ["firstlight/2/shops/edge-17/desired", "{}", live, /nothing is expected/],
      ["other", "{}", live, /nothing is expected/],
      [topics.with("cmd", "reboot"), "{}", kept, /of the past/],
      [topics.of("ack"), "{}", kept, /of the past/],
    ] as const;
    for (const [topic, text, arrival, message] of cases)
      await t.rejects(
        take(topic, bytes(text), arrival),
        { code: "link/message-refused", message },
        topic,
      );
    await take(topics.of("desired"), bytes(""), live); // a retained message that was cleared
    t.same(submitted, []);
  },
);

t.test("without a root side nothing but acks is taken", async (t) => {
  const io = fakeIo(t.testdir());
  const log = createLog(io.clock, () => {});
  const outbox = await openOutbox(io, log);
  t.teardown(() => outbox.close());
  const { isWhole, take } = reception({ io, log, outbox, topics });
  t.equal(isWhole, false);
  await t.rejects(take(topics.of("desired"), bytes("{}"), live), { code: "link/message-refused" });
});

t.test("no answer: the message must come again, and nothing is told of it", async (t) => {
  let answered = 0;
  const { take, answers, events } = await world(t, { onAnswered: () => (answered += 1) });
  answers.push(new Fault("side/unreachable", "nobody there"), new Error("disk full"));
  for (const topic of [topics.of("desired"), topics.with("cmd", "ping")])
    await t.rejects(take(topic, bytes("{}"), live), { code: "link/no-answer" });
  t.same([events(), answered], [[], 0]);
  await take(topics.of("desired"), bytes("{}"), live);
  t.equal(answered, 1);
  const { io } = await world(t);
  const hung = reception({
    ...{ io, log: createLog(io.clock, () => {}), topics },
    outbox: await openOutbox(
      io,
      createLog(io.clock, () => {}),
    ),
    submit: () => new Promise(() => {}),
  });
  await t.rejects(hung.take(topics.of("desired"), bytes("{}"), live), { code: "link/no-answer" });
});

t.test("a command's answer is an event with what it answers", async (t) => {
  const { take, answers, events } = await world(t);
  const text = JSON.stringify({ v: 1, id, body: {} });
  answers.push(
    { kind: "command", command: { id, name: "ping", isNew: true } },
    { kind: "refused", code: "trust/expired", message: "expired at noon" },
    { kind: "refused", code: "trust/limit" },
  );
  for (const payload of [text, text, "[".repeat(100_000)])
    await take(topics.with("cmd", "ping"), bytes(payload), live);
  t.same(
    events().map(({ body }) => body),
    [
      { command: "ping", outcome: "taken", id, answers: id, digest: sha256(text) },
      {
        ...{ command: "ping", outcome: "refused", answers: id, digest: sha256(text) },
        ...{ code: "trust/expired", message: "expired at noon" },
      },
      {
        ...{ command: "ping", outcome: "refused", digest: sha256("[".repeat(100_000)) },
        code: "trust/limit",
      },
    ],
  );
});

t.test("a refusal is told once, and a flood of them does not fill the outbox", async (t) => {
  const { take, answers, events, io } = await world(t);
  const refuse = async (text: string, code: string) => {
    answers.push({ kind: "refused", code, message: "no" });
    await take(topics.of("desired"), bytes(text), live);
  };
  for (let i = 0; i < 5; i++) await refuse("the same", "trust/rollback");
  await refuse("the same", "trust/expired");
  t.same(
    events().map(({ body }) => (body as { code: string }).code),
    ["trust/rollback", "trust/expired"],
  );
  for (let i = 0; i < 500; i++) await refuse(`flood ${i}`, "trust/threshold");
  t.equal(events().length, 10);
  io.clock.advance(60_000);
  await refuse("a minute later", "trust/threshold");
  t.equal(events().length, 11);
});
