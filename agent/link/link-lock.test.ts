import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { takeLinkLock } from "./link-lock.ts";

t.test("one process holds the link; the next gets it after the first", async (t) => {
  const io = fakeIo(t.testdir());
  const first = await takeLinkLock(io);
  t.ok(first);
  t.equal(await takeLinkLock(io), undefined);
  first?.release();
  const second = await takeLinkLock(io);
  t.ok(second);
  second?.release();
});

t.test("a place that cannot hold the lock is a fault", async (t) => {
  const io = fakeIo(t.testdir({ var: { lib: "no directory" } }));
  await t.rejects(takeLinkLock(io), { code: /^(link\/outbox-failed|io\/write-failed)$/ });
});
