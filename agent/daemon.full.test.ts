import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import t from "tap";
import type { Gap } from "#generated/protocol/messages/gap.ts";
import { bootEvents, fakeBroker, fakeDaemon, fakeNode } from "./fake-link.ts";
import { outboxFile } from "./link/outbox-file.ts";
import { writeSpool } from "./link/spool.ts";

t.setTimeout(600_000);

const hourMs = 3_600_000;

t.test("thirty days without a broker: bounded, and then every outcome comes", async (t) => {
  const node = await fakeNode(t);
  const startMs = node.io.clock.now();
  const days = 30;
  const bootsOf = 8; // a day
  let boots = 0;
  const broker = fakeBroker(() => {
    const passed = (node.io.clock.now() - startMs) / (24 * hourMs);
    for (; boots < Math.min(passed, days) * bootsOf; boots += 1)
      writeSpool(node.io, bootEvents(60), undefined);
    broker.isThere = passed >= days;
  });
  broker.isThere = false;
  const daemon = fakeDaemon(node, broker);
  const outcomes = () =>
    broker.published.filter(({ topic }) => topic.endsWith("/event/boot.finished"));
  while (outcomes().length < days * bootsOf) {
    await broker.next();
    t.ok(node.outbox.size().events <= 10_000);
  }
  while (node.outbox.size().events > 0) await broker.next();
  await daemon.stop();
  const mostTries = (days * 24 * hourMs) / 60_000 + 10; // at the longest wait, by chance halved
  t.ok(broker.tries < mostTries, `${broker.tries} tries`);
  const seqs = outcomes().map(({ envelope }) => envelope.seq);
  t.same(
    seqs,
    [...seqs].sort((a, b) => a - b),
    "in order",
  );
  const gaps = broker.published.filter(({ topic }) => topic.endsWith("/event/gap"));
  const stages = broker.published.filter(({ topic }) => topic.endsWith("/event/boot.stage"));
  t.equal(gaps.length, 1);
  const gap = gaps[0]?.envelope.body as Gap | undefined;
  t.equal(
    days * bootsOf * 60 - stages.length,
    (gap?.dropped ?? 0) - (gap?.byKind["gap"] ?? 0),
    "what went is counted exactly",
  );
});

t.test("a hundred days leave nothing behind: memory, listeners, files", async (t) => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const node = await fakeNode(t);
  const broker = fakeBroker();
  const messages = broker.published as unknown[];
  const daemon = fakeDaemon(node, broker);
  const sizeAt = new Map<number, number>();
  const fileAt = new Map<number, number>();
  for (let day = 1; day <= 100; day += 1) {
    for (let visit = 0; visit < 6; visit += 1) {
      writeSpool(node.io, bootEvents(3), undefined);
      await daemon.run("outbox");
      while (node.outbox.acknowledged() < ((day - 1) * 6 + visit + 1) * 4) await broker.next();
      node.io.clock.advance(4 * hourMs);
      for (let i = 0; i < 10; i += 1) await daemon.run("health");
      if (visit % 2 === 1) broker.lose();
    }
    messages.length = 0;
    node.records.length = 0;
    if (day % 20 !== 0) continue;
    collect();
    sizeAt.set(day, process.memoryUsage().heapUsed);
    fileAt.set(day, node.io.files.stat(outboxFile)?.size ?? 0);
  }
  await daemon.stop();
  t.ok(broker.tries >= 300, `${broker.tries} connections`);
  const growth = (sizeAt.get(100) ?? 0) - (sizeAt.get(40) ?? 0);
  // Effects that the fake machine remembers, some hundred bytes each, are the test's own.
  t.ok(growth < 3 * 1024 * 1024, `${Math.round(growth / 1024)} KiB in sixty days`);
  t.equal(fileAt.get(100), fileAt.get(40), "the outbox is as large as it was");
});
