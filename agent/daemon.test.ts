import { setImmediate } from "node:timers/promises";
import t from "tap";
import type { UpdateState } from "#generated/protocol/messages/update.ts";
import { bootEvents, fakeBroker, fakeDaemon, fakeNode } from "./fake-link.ts";
import { writeSpool } from "./link/spool.ts";

t.test("what changes again and again is told at once, then as it is a while later", async (t) => {
  const node = await fakeNode(t);
  const broker = fakeBroker();
  let generation = 0;
  const readers = {
    about: async () => ({ agent: "0.1.0", platform: "x86_64-linux", capabilities: [] }),
    reported: async () => ({ generation }),
    update: async () => undefined,
    health: async () => ({}),
  };
  const daemon = fakeDaemon(node, broker, { readers });
  const generations = () =>
    broker.published
      .filter(({ topic, payload }) => topic.endsWith("/reported") && payload !== "")
      .map(({ envelope }) => (envelope.body as { generation: number }).generation);
  const until = async (done: () => boolean) => {
    while (!done()) await broker.next();
  };
  await until(() => generations().length === 1);
  for (generation = 1; generation <= 100; generation += 1) {
    const [seq = 0] = node.outbox.append(...bootEvents(0));
    await daemon.run("outbox");
    await until(() =>
      broker.published.some(
        ({ envelope }) => envelope.seq === seq && envelope.stream === node.outbox.stream(),
      ),
    );
  }
  t.same(generations(), [0, 1, 2, 3, 4], "a burst, and no more");
  node.io.clock.advance(10_000);
  await daemon.run("outbox");
  await until(() => generations().length === 6);
  t.equal(generations().at(-1), 101, "and then the newest, though nothing was written meanwhile");
  await daemon.stop();
});

t.test("every change of an update is told as it comes, its end too", async (t) => {
  const node = await fakeNode(t);
  const broker = fakeBroker();
  let seq = 1;
  const readers = {
    about: async () => ({ agent: "0.1.0", platform: "x86_64-linux", capabilities: [] }),
    reported: async () => undefined,
    update: async () => ({ state: "TESTING" as const, seq, attempt: 1 }),
    health: async () => ({}),
  };
  const daemon = fakeDaemon(node, broker, { readers });
  const told = () =>
    broker.published
      .filter(({ topic, payload }) => topic.endsWith("/update") && payload !== "")
      .map(({ envelope }) => (envelope.body as { seq: number }).seq);
  for (;;) {
    while (told().length < seq) await broker.next();
    if (seq === 28) break;
    seq += 1;
    node.outbox.append(...bootEvents(0));
    await daemon.run("outbox");
  }
  t.equal(told().at(-1), 28);
  await daemon.stop();
});

t.test(
  "how far an update is is told now and then, and keeps none of its changes waiting",
  async (t) => {
    const node = await fakeNode(t);
    const broker = fakeBroker();
    let state: UpdateState = { state: "BUILDING", seq: 1, attempt: 1 };
    const readers = {
      about: async () => ({ agent: "0.1.0", platform: "x86_64-linux", capabilities: [] }),
      reported: async () => undefined,
      update: async () => state,
      health: async () => ({}),
    };
    const daemon = fakeDaemon(node, broker, { readers });
    const told = () =>
      broker.published
        .filter(({ topic, payload }) => topic.endsWith("/update") && payload !== "")
        .map(({ envelope }) => envelope.body as unknown as UpdateState);
    while (told().length < 1) await broker.next();
    for (let percent = 1; percent <= 60; percent += 1) {
      state = { ...state, progress: percent / 100 };
      await daemon.run("outbox");
      await setImmediate();
    }
    t.same(
      told().map(({ progress }) => progress),
      [undefined, 0.01],
      "one in a while",
    );
    node.io.clock.advance(10_000);
    await daemon.run("outbox");
    while (told().length < 3) await broker.next();
    t.equal(told().at(-1)?.progress, 0.6, "then the newest");
    state = { state: "STAGED", seq: 2, attempt: 1 };
    await daemon.run("outbox");
    while (told().length < 4) await broker.next();
    t.match(told().at(-1), { state: "STAGED", progress: undefined }, "a change of state at once");
    await daemon.stop();
  },
);

t.test("a machine that was set up anew takes back what one of its name had left", async (t) => {
  const node = await fakeNode(t);
  const broker = fakeBroker();
  const cleared = () =>
    broker.published
      .filter(({ payload }) => payload === "")
      .map(({ topic }) => topic.split("/").at(-1));
  const daemon = fakeDaemon(node, broker);
  while (!broker.published.some(({ topic }) => topic.endsWith("/get"))) await broker.next();
  t.same(cleared(), ["reported", "update"]);
  broker.lose();
  while (broker.published.filter(({ topic }) => topic.endsWith("/get")).length < 2)
    await broker.next();
  t.equal(cleared().length, 2, "once");
  await daemon.stop();
});

t.test(
  "without a broker nothing is written but what root leaves, and tries are counted",
  async (t) => {
    const node = await fakeNode(t);
    const day = 24 * 3_600_000;
    const endMs = node.io.clock.now() + day;
    const broker = fakeBroker(() => {
      if (node.io.clock.now() >= endMs) broker.isThere = true;
    });
    broker.isThere = false;
    const before = node.io.effects.length;
    writeSpool(node.io, bootEvents(2), undefined);
    const written = node.io.effects.length - before;
    const daemon = fakeDaemon(node, broker);
    while (
      !broker.published.some(
        ({ envelope }) => envelope.seq === 3 && envelope.stream === node.outbox.stream(),
      )
    )
      await broker.next();
    await daemon.stop();
    t.ok(
      broker.tries > day / 120_000 && broker.tries < day / 60_000 + 10,
      `${broker.tries} tries a day`,
    );
    const offline = node.io.effects
      .slice(before + written)
      .filter((name) => name !== "outbox session");
    t.same(
      offline.filter((name) => /outbox append/.test(name)).length,
      1,
      "events were taken in while it was offline, once",
    );
    t.ok(offline.length < 12, offline.join(", "));
  },
);
