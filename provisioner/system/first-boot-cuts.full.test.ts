import t, { type Test } from "tap";
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
import { type FakeMachine, fakeSources, systemOf } from "./fake-machine.ts";

t.setTimeout(600_000);
const [third, newest] = [fakeSources("c"), systemOf(fakeSources("c"))];

/** A machine at each effect of the commit of these sources, after the power went there. */
async function* cutInCommit(
  machine: () => Promise<FakeMachine>,
  sources: typeof third,
): AsyncGenerator<{ readonly m: FakeMachine; readonly at: string }> {
  for (let dieAt = 1, isDone = false; !isDone; dieAt++) {
    const m = await machine();
    const c = start(m);
    const trial = await c.try(await c.plan(await c.build(sources, reason)));
    const dying = start(m, dieAt);
    await dying.recover({ judges: true }).catch(() => {});
    isDone = await dying.commit(trial, healthy).then(
      () => true,
      () => false,
    );
    m.cutPower();
    yield { m, at: `cut at ${dieAt}` };
  }
}

/** The machine hangs in whatever is not proved: it comes back to what is, and stays there. */
async function hangsBack(t: Test, m: FakeMachine, at: string): Promise<void> {
  for (let boots = 0; m.running() !== good; boots++) {
    if (boots > 2) throw new Error(`${at}: ${m.running()} again and again`);
    t.ok(await arm(m), `${at}: ${m.running()} has a way back`);
    m.cutPower();
  }
}

const loaders: readonly FakeLoader[] = ["systemd-boot", "grub"];
for (const loader of loaders) {
  t.test(`${loader}: a second commit before the restart has a way back all the time`, async (t) => {
    const booted = new Set<string | undefined>();
    for await (const { m, at } of cutInCommit(() => unprovedMachine(t, loader), third)) {
      booted.add(m.running());
      await hangsBack(t, m, at);
      // Once is forgiven: a commit that was open may be finished first.
      for (let times = 0; times < 2; times++) {
        await start(m).recover({ judges: true });
        m.cutPower();
        await hangsBack(t, m, `${at}, recovered`);
      }
      t.strictSame([m.running(), m.profile(), m.bootDefault()], [good, good, good], at);
      t.same(marks(m), [], at);
    }
    t.ok(booted.has(fresh) && booted.has(newest), "before the menu was written, and after it");
  });

  t.test(
    `${loader}: a second commit that is finished after its cut is what is booted`,
    async (t) => {
      const booted = new Set<string | undefined>();
      for await (const { m, at } of cutInCommit(() => unprovedMachine(t, loader), third)) {
        booted.add(m.running());
        for (let boots = 0; boots < 2; boots++) {
          await arm(m);
          const c = start(m);
          const { unproved: toJudge } = await c.recover({ judges: true });
          if (toJudge !== null) await c.prove(healthy);
          const next = m.bootDefault();
          m.cutPower();
          t.strictSame([m.running(), m.profile()], [next, next], `${at}, boot ${boots}`);
          t.match(await start(m).runs(third.digest), { chosen: null }, `${at}: nobody chose`);
        }
        t.ok(m.running() === fresh || m.running() === newest, at);
      }
      t.ok(booted.has(fresh) && booted.has(newest), "before the menu was written, and after it");
    },
  );

  t.test(`${loader}: a power cut after the menu is no boot of the commit`, async (t) => {
    let inFirst = 0;
    for await (const { m, at } of cutInCommit(() => provedMachine(t, loader), unproved)) {
      if (m.running() !== fresh) continue;
      inFirst += 1;
      t.ok(await arm(m), at);
      const { unproved: toJudge } = await start(m).recover({ judges: true });
      t.match(toJudge, { toplevel: fresh }, `${at}: it is judged in this boot`);
      m.cutPower(); // it crashes before it was
      t.equal(m.running(), good, at);
      await start(m).recover({ judges: true });
      t.strictSame([m.profile(), m.bootDefault()], [good, good], at);
    }
    t.ok(inFirst > 5, `${inFirst} cuts`);
  });
}
