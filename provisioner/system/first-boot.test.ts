import t from "tap";
import type { FakeLoader } from "./fake-firmware.ts";
import {
  arm,
  commit,
  fresh,
  good,
  healthy,
  marks,
  proved,
  provedMachine,
  reason,
  start,
  unproved,
  unprovedMachine,
} from "./fake-first-boot.ts";
import { fakeSources } from "./fake-machine.ts";

const loaders: readonly FakeLoader[] = ["systemd-boot", "grub"];

for (const loader of loaders) {
  t.test(`${loader}: a first boot that does not come up leads back, and stays there`, async (t) => {
    const m = await unprovedMachine(t, loader);
    t.same(marks(m), ["proved", "unproved"]);
    t.equal(await arm(m), undefined, "the boot that committed it is not it");
    m.cutPower();
    t.strictSame([m.running(), m.bootDefault()], [fresh, fresh]);
    t.match(await arm(m), { back: good, loader });
    m.cutPower(); // it hangs, and the watchdog resets the machine
    t.strictSame([m.running(), m.bootDefault()], [good, fresh]);
    const c = start(m);
    t.match(await c.status(), { state: "none" });
    const found = await c.recover({ judges: true });
    const why = /^the first boot of generation 3 did not come as far as firstlight/;
    t.match(found, {
      state: "rolled-back",
      details: [why],
      fault: null,
      back: {
        ...{ toplevel: fresh, sourcesDigest: unproved.digest, reason },
        verdict: { healthy: false, conclusive: false, reasons: [why] },
        rolledBack: { toplevel: good, generation: 4, sourcesDigest: proved.digest, restart: false },
      },
      unproved: null,
    });
    t.strictSame([m.running(), m.bootDefault(), m.profile()], [good, good, good]);
    t.same(marks(m), []);
    t.match(await c.recover(), { state: "clean" });
    t.match(await c.runs(unproved.digest), {
      runs: false,
      bootProved: true,
      chosen: /did not come as far/,
    });
    const { boot, denied, generations } = await c.history();
    t.match(boot, { toplevel: good, proved: true });
    t.same(denied, [], "a power cut would look the same: nobody is blamed");
    t.notOk(generations.some((made) => made.previousGood && made.toplevel === fresh));
    m.cutPower();
    t.equal(m.running(), good);
    t.match(await start(m).recover(), { state: "clean" });
  });

  t.test(`${loader}: a first boot in which firstlight runs has no way back any more`, async (t) => {
    const m = await unprovedMachine(t, loader);
    m.cutPower();
    await arm(m);
    await arm(m);
    t.match(await start(m).recover({ judges: true }), {
      state: "clean",
      unproved: { toplevel: fresh },
      details: [],
    });
    t.same(marks(m), []);
    t.equal(await arm(m), undefined);
    m.cutPower();
    t.equal(m.running(), fresh, "the next boot is its own");
    t.equal(await arm(m), undefined);
  });

  t.test(
    `${loader}: arming that is cut off is no first boot that failed, or can go on`,
    async (t) => {
      for (let dieAt = 1; dieAt <= 3; dieAt++) {
        const m = await unprovedMachine(t, loader);
        m.cutPower();
        await arm(m, dieAt).catch(() => {});
        m.cutPower();
        if (m.running() === fresh) {
          await arm(m);
          t.match(await start(m).recover(), { state: "clean" });
          t.equal(m.bootDefault(), fresh);
        } else t.match(await start(m).recover(), { state: "rolled-back" });
      }
    },
  );
}

t.test(
  "who chose another system in the menu is left alone, and the first boot is still to come",
  async (t) => {
    const m = await unprovedMachine(t, "systemd-boot");
    m.bootNext(good);
    m.cutPower();
    t.match(await start(m).recover(), { state: "clean" });
    t.equal(m.bootDefault(), fresh, "it had not begun");
    m.cutPower();
    await arm(m);
    m.bootNext(m.image);
    m.cutPower();
    t.match(await start(m).recover(), { state: "clean" });
    t.equal(m.bootDefault(), fresh, "neither was the way back taken");
    m.cutPower();
    t.equal(m.running(), fresh);
    t.match(await arm(m), { back: good });
  },
);

t.test("a boot default that somebody chose since is nobody's first boot", async (t) => {
  const m = await unprovedMachine(t, "grub");
  m.cutPower();
  await arm(m);
  m.choose(m.image);
  m.cutPower();
  t.equal(m.running(), good, "the way back was armed");
  t.match(await start(m).recover(), { state: "clean" });
  t.equal(m.bootDefault(), m.image);
});

t.test(
  "a loader that cannot boot a system once: said in the plan; whoever is back is asked nothing",
  async (t) => {
    const m = await unprovedMachine(t, "extlinux");
    const plan = await start(m).plan(await start(m).build(fakeSources("c"), reason));
    t.match(plan.warnings.at(-1), { kind: "first-boot", message: /extlinux.conf has one default/ });
    m.cutPower();
    await t.rejects(arm(m), { code: "system/reboot-impossible", message: /extlinux/ });
    m.bootNext(good); // by a person at the console
    m.cutPower();
    t.match(await start(m).recover({ judges: true }), { state: "rolled-back" });
    t.equal(m.bootDefault(), good);
  },
);

t.test("a system that was booted has no first boot to come", async (t) => {
  const m = await provedMachine(t, "systemd-boot");
  await commit(start(m), unproved);
  await commit(start(m), proved);
  t.same(marks(m), [], "one that was gone back to");
  t.match((await start(m).history()).boot, { toplevel: good, proved: true });
  const c = start(m);
  await c.try(await c.plan(await c.build(fakeSources("c with kernel-one"), reason)));
  await c.restart();
  m.restartIfAsked();
  t.equal(await arm(m), undefined, "nor one on trial");
  const { trial } = await c.recover({ judges: true });
  if (trial === null) return t.fail("expected the trial");
  await c.commit(trial.trial, healthy);
  t.same(marks(m), []);
});

t.test("a system of a firstlight that does not see to its first boot is not marked", async (t) => {
  const m = await provedMachine(t, "grub");
  await commit(start(m), fakeSources("no-first-boot"));
  t.same(marks(m), []);
});

t.test("a way back that cannot be disarmed is told, and holds nothing up", async (t) => {
  const m = await unprovedMachine(t, "systemd-boot");
  m.cutPower();
  await arm(m);
  m.faults.answers.set("bootctl", () => ({ code: 1, stderr: "Read-only file system" }));
  t.match(await start(m).recover(), {
    state: "clean",
    details: [/^the next boot may still be of the system from before: .*Read-only/],
  });
  t.same(marks(m), []);
});
