import { rmSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { systemClient } from "./client.ts";
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
import { type FakeMachine, fakeSources, systemOf } from "./fake-machine.ts";

// Commits whose boot entry or sources cannot be written, however often that is tried.

const full = () => ({ code: 1, stderr: "No space left on device\n" });
const incomplete = { code: "system/commit-incomplete" };
const failed = { code: "system/commit-failed" };
const loaders: readonly FakeLoader[] = ["systemd-boot", "grub", "extlinux"];

async function tryOf(m: FakeMachine, sources: typeof proved) {
  const c = start(m);
  const trial = await c.try(await c.plan(await c.build(sources, reason)));
  return { c, trial };
}

/** Commits with a menu that cannot be written, until that is given up. */
async function giveUp(t: Test, m: FakeMachine, sources: typeof proved): Promise<void> {
  const { c, trial } = await tryOf(m, sources);
  m.faults.answers.set("switch boot", full);
  await t.rejects(c.commit(trial, healthy), incomplete);
  t.match(await start(m).recover(), { state: "continued", fault: incomplete });
  t.match(await start(m).recover(), { state: "continued", fault: failed });
  t.match(await start(m).recover(), { state: "clean", fault: null });
}

const now = (m: FakeMachine) => [m.running(), m.profile(), m.bootDefault()];

for (const loader of loaders) {
  t.test(`${loader}: a system without a boot entry is gone back from`, async (t) => {
    const m = await provedMachine(t, loader);
    await giveUp(t, m, unproved);
    t.strictSame(now(m), [good, good, good]);
    t.equal(m.timers.size, 0);
    t.match(await start(m).runs(proved.digest), { runs: true, chosen: null });
    t.match((await start(m).history()).trials.at(-1), {
      ...{ result: "rolled-back", toplevel: fresh },
      reasons: [/^the commit failed: /, /the boot entry could not be set back/],
    });
    m.cutPower();
    t.strictSame(now(m), [good, good, good]);
    m.faults.answers.clear();
    await commit(start(m), unproved);
    t.strictSame(now(m), [fresh, fresh, fresh], "nobody holds it back");
    m.cutPower();
    t.equal(m.running(), fresh);
    if (loader !== "extlinux") t.ok(await arm(m), "and its first boot has a way back");
  });

  t.test(`${loader}: also where the power was cut in between`, async (t) => {
    const m = await provedMachine(t, loader);
    const { c, trial } = await tryOf(m, unproved);
    m.faults.answers.set("switch boot", full);
    await t.rejects(c.commit(trial, healthy), incomplete);
    m.cutPower();
    t.equal(m.running(), good, "the loader knows of no other yet");
    t.match(await start(m).recover(), { fault: incomplete });
    t.match(await start(m).recover(), { fault: failed });
    t.match(await start(m).recover(), { state: "clean" });
    t.strictSame(now(m), [good, good, good]);
    t.match(await start(m).runs(unproved.digest), { runs: false, chosen: null });
  });

  t.test(`${loader}: a person's way back as well, so that something else may follow`, async (t) => {
    const m = await unprovedMachine(t, loader);
    await giveUp(t, m, proved);
    t.strictSame(now(m), [fresh, fresh, fresh]);
    m.faults.answers.clear();
    await commit(start(m), fakeSources("c"));
    t.equal(m.bootDefault(), systemOf(fakeSources("c")));
  });
}

for (const loader of ["systemd-boot", "grub"] as const) {
  t.test(`${loader}: what was to have its first boot still is`, async (t) => {
    const m = await unprovedMachine(t, loader);
    await giveUp(t, m, fakeSources("c"));
    t.strictSame(now(m), [fresh, fresh, fresh]);
    m.cutPower();
    t.match(await arm(m), { back: good });
    m.cutPower();
    t.equal(m.running(), good, "it hung");
  });

  t.test(`${loader}: in the first boot of another one too`, async (t) => {
    const m = await unprovedMachine(t, loader);
    m.cutPower();
    await arm(m);
    const c = start(m);
    await c.recover({ judges: true });
    await giveUp(t, m, fakeSources("c"));
    t.strictSame(now(m), [fresh, fresh, fresh]);
    m.cutPower();
    t.equal(m.running(), fresh, "no choice for the next boot is left");
    t.match(await start(m).runs(unproved.digest), { runs: true, chosen: null });
  });

  t.test(`${loader}: a trial by a restart goes back by one`, async (t) => {
    const m = await provedMachine(t, loader);
    const sources = fakeSources("c with kernel-one");
    const { c } = await tryOf(m, sources);
    await c.restart();
    m.restartIfAsked();
    t.equal(m.running(), systemOf(sources));
    m.faults.answers.set("switch boot", full);
    const { trial } = await start(m).recover({ judges: true });
    if (trial === null) return t.fail("expected the trial");
    await t.rejects(start(m).commit(trial.trial, healthy), incomplete);
    t.match(await start(m).recover({ judges: true }), { fault: incomplete });
    t.match(await start(m).recover({ judges: true }), { fault: failed });
    t.match(await start(m).runs(sources.digest), { restart: true });
    await start(m).restart();
    m.restartIfAsked();
    t.match(await start(m).recover({ judges: true }), { state: "rolled-back" });
    t.strictSame(now(m), [good, good, good]);
    m.cutPower();
    t.equal(m.running(), good);
  });
}

/** Lets /etc/nixos take no sources; its place on the host. */
function blockSources(m: FakeMachine): string {
  const place = path.join(m.root, "etc/nixos");
  rmSync(place, { recursive: true });
  m.write("/etc/nixos", "in the way");
  return place;
}

t.test("what the loader knows already is not gone back from", async (t) => {
  const m = await provedMachine(t, "grub");
  const { c, trial } = await tryOf(m, unproved);
  blockSources(m);
  await t.rejects(c.commit(trial, healthy), incomplete);
  m.faults.answers.set("switch boot", full);
  t.match(await start(m).recover(), { fault: incomplete });
  t.match(await start(m).recover(), { state: "continued", fault: null });
  t.strictSame(now(m), [fresh, fresh, fresh]);
  m.cutPower();
  t.match(await arm(m), { back: good }, "its first boot has a way back");
});

t.test("where the menu may be half written, a first boot of either has a way back", async (t) => {
  const m = await provedMachine(t, "grub");
  await giveUp(t, m, unproved);
  t.strictSame(now(m), [good, good, good]);
  t.same(marks(m), ["during", "proved", "unproved"], "of whichever it starts");
});

t.test("nobody goes back to what a repair has left", async (t) => {
  const m = await unprovedMachine(t, "grub");
  const c = start(m);
  const by = { ...reason, by: "repair" } as const;
  const plan = await c.planGeneration(2, by);
  const trial = await c.try(plan.plan);
  m.faults.answers.set("switch boot", full);
  await t.rejects(c.commit(trial, healthy), incomplete);
  t.match(await start(m).recover(), { fault: incomplete });
  t.match(await start(m).recover(), {
    ...{ state: "continued", fault: null },
    details: [/ended: it has no boot entry of its own: /],
  });
  t.equal(m.running(), good);
  t.match(await start(m).recover(), { state: "clean" });
});

t.test(
  "a previous system that cannot be activated again is come back to by a restart",
  async (t) => {
    const m = await provedMachine(t, "grub");
    const c = systemClient(m.start({ reboot: "allow" }).system);
    const trial = await c.try(await c.plan(await c.build(unproved, reason)));
    m.faults.answers.set("switch boot", full);
    await t.rejects(c.commit(trial, healthy), incomplete);
    m.faults.answers.set("switch test", () => ({ code: 1 }));
    const again = () => systemClient(m.start({ reboot: "allow" }).system);
    await again().recover();
    await again().recover();
    t.match(await again().runs(unproved.digest), { restart: true });
    await again().restart();
    m.restartIfAsked();
    m.faults.answers.delete("switch test");
    t.match(await again().recover(), { state: "rolled-back" });
    t.strictSame(now(m), [good, good, good]);
  },
);

t.test("another boot default that somebody makes meanwhile is told, and stays", async (t) => {
  const byHand = "/nix/store/99999999999999999999999999999999-nixos-system-by-hand";
  const m = await provedMachine(t, "grub");
  m.write(`${byHand}/bin/switch-to-configuration`, byHand);
  const { c, trial } = await tryOf(m, unproved);
  m.faults.answers.set("switch boot", full);
  await t.rejects(c.commit(trial, healthy), incomplete);
  m.faults.answers.clear();
  m.choose(byHand);
  const told = /by-hand was made the boot default since, by hand; it is left alone/;
  t.match(await start(m).recover(), { state: "continued", fault: null, details: [told] });
  t.match((await start(m).history()).trials.at(-1)?.reasons.at(-1), told);
  t.match(await start(m).recover(), { state: "clean" });
  t.match(await start(m).runs(unproved.digest), { chosen: /was made the boot default by hand/ });
  t.equal(m.bootDefault(), byHand);
});

t.test("sources that cannot be published are told until they are", async (t) => {
  const m = await provedMachine(t, "grub");
  const { c, trial } = await tryOf(m, unproved);
  const etcNixos = blockSources(m);
  await t.rejects(c.commit(trial, healthy), incomplete);
  t.match(await start(m).recover(), { fault: incomplete });
  t.match(await start(m).recover(), { state: "continued", fault: null });
  t.strictSame(now(m), [fresh, fresh, fresh]);
  const told = /^\/etc\/nixos does not describe it: /;
  t.match(await start(m).runs(unproved.digest), { runs: true, incomplete: told });
  t.match((await start(m).history()).trials.at(-1)?.reasons.at(-1), /^not done: \/etc\/nixos/);
  m.cutPower();
  m.bootNext(good);
  m.cutPower();
  const chosen = /was chosen when the machine was booted/;
  t.match(await start(m).runs(unproved.digest), { chosen });
  m.cutPower();
  rmSync(etcNixos);
  await start(m).repair({ deep: false, share: 0 });
  t.match(await start(m).runs(unproved.digest), { runs: true, incomplete: null });
});
