import t from "tap";
import type { FakeLoader } from "./fake-firmware.ts";
import {
  arm,
  fresh,
  good,
  healthy,
  marks,
  provedMachine,
  reason,
  start,
  unproved,
  unprovedMachine,
} from "./fake-first-boot.ts";

t.setTimeout(120_000);
const loaders: readonly FakeLoader[] = ["systemd-boot", "grub"];

for (const loader of loaders) {
  t.test(`${loader}: killed anywhere, going back is finished by whoever comes next`, async (t) => {
    for (let dieAt = 1, isDone = false; !isDone; dieAt++) {
      const m = await unprovedMachine(t, loader);
      m.cutPower();
      await arm(m);
      m.cutPower();
      isDone = await start(m, dieAt)
        .recover({ judges: true })
        .then(() => true)
        .catch(() => false);
      if (dieAt % 2 === 0) {
        m.cutPower();
        t.ok(m.running() === good || m.running() === fresh, `${dieAt}: ${m.running()}`);
        await arm(m);
        if (m.running() === fresh) m.cutPower();
      }
      t.equal(m.running(), good, `killed at ${dieAt}`);
      for (let round = 0; round < 2; round++) await start(m).recover({ judges: true });
      t.strictSame([m.bootDefault(), m.profile()], [good, good], `killed at ${dieAt}`);
      t.same(marks(m), []);
      m.cutPower();
      t.equal(m.running(), good);
      t.match(await start(m).recover(), { state: "clean" }, `killed at ${dieAt}`);
    }
  });

  t.test(
    `${loader}: whenever the new system is booted first, it can arm its way back`,
    async (t) => {
      let first = 0;
      for (let dieAt = 1, isDone = false; !isDone; dieAt++) {
        const m = await provedMachine(t, loader);
        const c = start(m);
        const trial = await c.try(await c.plan(await c.build(unproved, reason)));
        const dying = start(m, dieAt);
        await dying.recover({ judges: true }).catch(() => {});
        isDone = await dying
          .commit(trial, healthy)
          .then(() => true)
          .catch(() => false);
        m.cutPower();
        if (m.running() !== fresh) continue;
        first += 1;
        t.match(await arm(m), { back: good }, `killed at ${dieAt}`);
        m.cutPower();
        t.equal(m.running(), good, `killed at ${dieAt}`);
        for (let round = 0; round < 3; round++) await start(m).recover({ judges: true });
        t.ok([good, fresh].includes(m.bootDefault() ?? ""));
      }
      t.ok(first > 3, "so it was booted");
    },
  );
}
