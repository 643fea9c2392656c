import t, { type Test } from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { Fault } from "#core/fault.ts";
import { silentLog } from "#core/log.ts";
import type { NewEvent } from "#protocol/events.ts";
import { nodeTopics } from "#protocol/topics.ts";
import type { Outgoing } from "./client.ts";
import { defaultLimits } from "./link-settings.ts";
import { openOutbox } from "./outbox.ts";
import { moveAside, outboxFile } from "./outbox-file.ts";
import { sender } from "./sender.ts";
import { sessionMessages } from "./session-messages.ts";

const topics = nodeTopics({ fleet: "f", node: "n" });
const stages = (count: number): readonly NewEvent[] =>
  Array.from({ length: count }, (_, i) => ({
    kind: "boot.stage",
    body: { stage: `s${i}`, state: "finished", ms: 1 },
  }));

interface Options {
  readonly acknowledge: "broker" | "server";
  readonly receiveMaximum?: number;
  readonly serverWindow?: number;
  /** Fails the publish of this number. */
  readonly failAt?: number;
}

async function setUp(
  t: Test,
  { acknowledge, receiveMaximum = 65_535, serverWindow = 256, failAt }: Options,
) {
  const io = fakeIo(t.testdir());
  const outbox = await openOutbox(io, silentLog);
  t.teardown(() => outbox.close());
  const sent: number[] = [];
  const flight = { now: 0, most: 0 };
  const session = {
    receiveMaximum,
    async publish({ payload }: Outgoing) {
      const { seq } = JSON.parse(payload) as { seq: number };
      sent.push(seq);
      flight.now += 1;
      flight.most = Math.max(flight.most, flight.now);
      await Promise.resolve();
      flight.now -= 1;
      if (seq === failAt) throw new Fault("link/lost", "gone");
    },
  };
  const messages = sessionMessages(io, {
    topics,
    stream: outbox.stream(),
    session: 1,
    epoch: "0b5c0f0e-6c0b-4c3a-9d0e-3f3f6a1f2b11",
  });
  const settings = { acknowledge, limits: { ...defaultLimits, serverWindow } };
  const make = () => sender({ clock: io.clock, session, outbox, messages, settings });
  return { io, outbox, sent, flight, make };
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

t.test(
  "everything is sent once, in order, a window at a time, and forgotten at the broker's word",
  async (t) => {
    const { outbox, sent, flight, make } = await setUp(t, { acknowledge: "broker" });
    outbox.append(...stages(50));
    t.equal(await make().drain(), 50);
    t.same(sent, numbers(1, 50));
    t.equal(flight.most, 16);
    t.same(outbox.size(), { events: 0, bytes: 0 });
  },
);

t.test("a broker that takes fewer at once gets fewer", async (t) => {
  const { outbox, flight, make } = await setUp(t, { acknowledge: "broker", receiveMaximum: 3 });
  outbox.append(...stages(10));
  await make().drain();
  t.equal(flight.most, 3);
});

t.test("what was not acknowledged stays, and the next session begins with it", async (t) => {
  const { outbox, sent, make } = await setUp(t, { acknowledge: "broker", failAt: 20 });
  outbox.append(...stages(40));
  await t.rejects(make().drain(), { code: "link/lost" });
  t.equal(outbox.acknowledged(), 16, "a window with a failure does not count");
  sent.length = 0;
  await t.rejects(make().drain(), { code: "link/lost" });
  t.equal(sent[0], 17);
});

t.test("with the server's ack, only so much is sent ahead of it", async (t) => {
  const { outbox, sent, make } = await setUp(t, { acknowledge: "server", serverWindow: 20 });
  outbox.append(...stages(50));
  const link = make();
  t.equal(await link.drain(), 20);
  t.equal(await link.drain(), 0);
  t.equal(outbox.size().events, 50);
  outbox.acknowledge(15);
  t.equal(await link.drain(), 15);
  t.same(sent, numbers(1, 35));
});

t.test(
  "after a silence of the server what it has not acknowledged comes again, ever more patiently",
  async (t) => {
    const { io, outbox, sent, make } = await setUp(t, { acknowledge: "server" });
    outbox.append(...stages(3));
    const link = make();
    await link.drain();
    outbox.acknowledge(1);
    await link.drain();
    const resentAfter = async (ms: number) => {
      sent.length = 0;
      io.clock.advance(ms);
      await link.drain();
      return [...sent];
    };
    t.same(await resentAfter(59_999), []);
    t.same(await resentAfter(1), [2, 3]);
    t.same(await resentAfter(119_999), []);
    t.same(await resentAfter(1), [2, 3]);
    outbox.acknowledge(2);
    t.same(await resentAfter(1), [], "an ack is a sign of life");
    t.same(await resentAfter(60_000), [3]);
  },
);

t.test("a session does not go on with an outbox that was begun anew", async (t) => {
  const { io, outbox, make } = await setUp(t, { acknowledge: "broker" });
  outbox.append(...stages(3));
  const link = make();
  await link.drain();
  moveAside(io, outboxFile);
  (await openOutbox(io, silentLog)).close();
  t.equal(outbox.changed(), true);
  await t.rejects(link.drain(), { code: "link/lost" });
});
