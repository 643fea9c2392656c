import { setTimeout as delay } from "node:timers/promises";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { silentLog } from "#core/log.ts";
import { openOutbox } from "./outbox.ts";
import { createWake, watchOutbox } from "./wake.ts";

t.test("a call before the wait is not lost, and many calls are one", async (t) => {
  const wake = createWake();
  wake.call();
  wake.call();
  await wake.next();
  let woken = false;
  const next = wake.next().then(() => {
    woken = true;
  });
  await Promise.resolve();
  t.equal(woken, false);
  wake.call();
  await next;
  t.equal(woken, true);
});

t.test("what is written to the outbox is noticed", async (t) => {
  const io = fakeIo(t.testdir());
  const outbox = await openOutbox(io, silentLog);
  t.teardown(() => outbox.close());
  const wake = createWake();
  t.teardown(watchOutbox(io, wake.call));
  outbox.append({ kind: "boot.started", body: { by: "boot" } });
  const late = new AbortController();
  const woken = wake.next().then(() => "woken");
  t.equal(
    await Promise.race([woken, delay(10_000, "late", { signal: late.signal }).catch(() => "late")]),
    "woken",
  );
  late.abort();
});

t.test("where nothing can be watched, nothing breaks", async (t) => {
  t.doesNotThrow(() => watchOutbox(fakeIo(t.testdir()), () => {})());
});
