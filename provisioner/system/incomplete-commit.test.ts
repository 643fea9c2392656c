import { rmSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import type { FakeLoader } from "./fake-firmware.ts";
import {
  arm,
  fresh,
  good,
  healthy,
  proved,
  provedMachine,
  reason,
  start,
  unproved,
} from "./fake-first-boot.ts";
import { type FakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import type { ChangeReason } from "./system.ts";

// A commit whose boot entry or sources cannot be written, however often that is tried.

const full = () => ({ code: 1, stderr: "No space left on device\n" });
const commitIncomplete = { code: "system/commit-incomplete" };
const loaders: readonly FakeLoader[] = ["systemd-boot", "grub", "extlinux"];

/** Whether the next system is ready to be booted, as whoever asks for it anew makes it. */
async function again(m: FakeMachine, by: ChangeReason["by"] = "boot") {
  const c = start(m);
  await c.recover({ judges: true });
  const trial = await c.try(await c.plan(await c.build(unproved, { ...reason, by })));
  return { c, trial };
}

/** A machine whose menu cannot be written, and whose commit of {@link fresh} has ended without it. */
async function withoutEntry(
  t: Test,
  loader: FakeLoader,
  by: ChangeReason["by"] = "boot",
): Promise<FakeMachine> {
  const m = await provedMachine(t, loader);
  m.faults.answers.set("switch boot", full);
  await endWithout(t, m, by);
  t.strictSame([m.running(), m.profile(), m.bootDefault()], [fresh, fresh, good]);
  return m;
}

async function endWithout(t: Test, m: FakeMachine, by: ChangeReason["by"] = "boot") {
  const { c, trial } = await again(m, by);
  await t.rejects(c.commit(trial, healthy), commitIncomplete);
  t.match(await start(m).recover(), { state: "continued", fault: commitIncomplete });
  t.match(await start(m).recover(), {
    ...{ state: "continued", fault: null },
    details: [/^the commit of generation \d+ ended: a restart starts the boot default of before/],
  });
}

for (const loader of loaders) {
  t.test(`${loader}: what ended without its boot entry does not run yet`, async (t) => {
    const m = await withoutEntry(t, loader);
    const told = /^a restart starts the boot default of before/;
    t.match(await start(m).recover(), { state: "clean" });
    const undone = { runs: false, chosen: null, incomplete: told };
    t.match(await start(m).runs(unproved.digest), undone);
    const { items } = await start(m).drift({ deep: false, share: 0 });
    t.match(
      items.filter(({ layer }) => layer === "running"),
      [{ kind: "boot-entry-missing", level: "warning", remedy: "apply", declared: fresh }],
    );
    const { trials } = await start(m).history();
    t.match(trials.at(-1), {
      result: "committed",
      reasons: ["all passed", /^not done: a restart/],
    });
    m.faults.answers.clear();
    const { c, trial } = await again(m);
    t.match(await c.commit(trial, healthy), { generation: 3, incomplete: null });
    t.match(await start(m).runs(unproved.digest), { runs: true, incomplete: null });
    t.equal(m.bootDefault(), fresh);
    m.cutPower();
    t.equal(m.running(), fresh);
  });

  t.test(`${loader}: nobody has chosen what the loader starts in its place`, async (t) => {
    const m = await withoutEntry(t, loader);
    m.cutPower();
    t.equal(m.running(), good, "the loader knows of no other yet");
    t.match(await start(m).runs(unproved.digest), { runs: false, chosen: null });
    const { items } = await start(m).drift({ deep: false, share: 0 });
    t.match(
      items.filter(({ layer }) => layer === "running").map(({ kind }) => kind),
      ["boot-entry-missing"],
    );
    m.faults.answers.clear();
    const { c, trial } = await again(m);
    t.match(await c.commit(trial, healthy), { generation: 3 });
    m.cutPower();
    t.equal(m.running(), fresh);
    m.bootNext(good);
    m.cutPower();
    const byPerson = "generation 2 was chosen when the machine was booted";
    t.match(await start(m).runs(unproved.digest), { runs: false, chosen: byPerson });
  });

  t.test(`${loader}: what is not well then is left, also as the boot default`, async (t) => {
    const m = await withoutEntry(t, loader);
    m.cutPower();
    m.faults.answers.clear();
    const { c, trial } = await again(m);
    await c.rollBack(trial, { ...healthy, healthy: false, failed: ["http"] });
    t.strictSame([m.running(), m.profile(), m.bootDefault()], [good, good, good]);
    m.cutPower();
    t.equal(m.running(), good);
  });

  t.test(`${loader}: what comes after it is committed as ever`, async (t) => {
    const m = await withoutEntry(t, loader);
    const next = fakeSources("c");
    m.faults.answers.clear();
    const c = start(m);
    await c.commit(await c.try(await c.plan(await c.build(next, reason))), healthy);
    t.equal(m.bootDefault(), systemOf(next));
    t.match(await start(m).recover(), { state: "clean" });
    m.cutPower();
    t.equal(m.running(), systemOf(next));
  });

  t.test(`${loader}: nor does the menu keep a way back of it open for ever`, async (t) => {
    const m = await withoutEntry(t, loader);
    const c = start(m);
    const trial = await c.try(await c.plan(await c.build(proved, { ...reason, by: "rollback" })));
    await t.rejects(c.commit(trial, healthy), commitIncomplete);
    for (let times = 0; times < 2; times++) await start(m).recover();
    t.match(await start(m).recover(), { state: "clean" });
    t.strictSame([m.running(), m.profile(), m.bootDefault()], [good, good, good]);
  });
}

t.test("a commit that ends in a boot of the system before is nobody's choice either", async (t) => {
  const m = await provedMachine(t, "grub");
  m.faults.answers.set("switch boot", full);
  const { c, trial } = await again(m);
  await t.rejects(c.commit(trial, healthy), commitIncomplete);
  m.cutPower();
  t.equal(m.running(), good);
  m.faults.answers.clear();
  t.match(await start(m).recover({ judges: true }), { state: "continued", fault: null });
  t.match(await start(m).runs(unproved.digest), { runs: false, chosen: null });
});

t.test("what a person went back to is theirs, also in a boot that does not have it", async (t) => {
  const m = await withoutEntry(t, "grub", "rollback");
  const chosen = "rollback: a test";
  t.match(await start(m).runs(unproved.digest), { runs: false, chosen, incomplete: /^a restart/ });
  m.cutPower();
  t.equal(m.running(), good);
  t.match(await start(m).runs(unproved.digest), { runs: false, chosen });
});

t.test("nor is the way back of a first boot that the loader still starts a choice", async (t) => {
  const m = await provedMachine(t, "grub");
  const next = fakeSources("second");
  const c = start(m);
  await c.commit(await c.try(await c.plan(await c.build(next, reason))), healthy);
  m.faults.answers.set("switch boot", full);
  await endWithout(t, m);
  m.cutPower();
  t.equal(m.running(), systemOf(next));
  await arm(m);
  m.cutPower(); // it hung
  t.equal(m.running(), good);
  await start(m).recover({ judges: true });
  t.match(await start(m).runs(unproved.digest), { runs: false, chosen: null });
});

t.test("what the loader may start stays, over any number of such commits", async (t) => {
  const m = await withoutEntry(t, "grub");
  for (const name of ["c", "d"]) {
    const c = start(m);
    const trial = await c.try(await c.plan(await c.build(fakeSources(name), reason)));
    await t.rejects(c.commit(trial, healthy), commitIncomplete);
    for (let times = 0; times < 2; times++) await start(m).recover();
  }
  t.equal(m.bootDefault(), good);
  t.match((await kept(m)).get(2), /boot loader/);
  m.cutPower();
  t.equal(m.running(), good);
  t.match(await start(m).runs(""), { chosen: null });
  m.faults.answers.clear();
  const { c, trial } = await again(m);
  await c.commit(trial, healthy);
  m.cutPower();
  t.equal(m.running(), fresh);
  t.notMatch((await kept(m)).get(2), /boot loader/);
});

/** Why generations would stay if only the newest did. */
async function kept(m: FakeMachine): Promise<ReadonlyMap<number, string>> {
  const limits = { keep: 1, maxAgeMs: null, minFreeBytes: 0, garbage: "never" } as const;
  const { generations } = await start(m).collect(limits, true);
  return new Map(generations.map(({ generation, why }) => [generation, why.join(", ")]));
}

t.test("another boot default that somebody makes meanwhile is told, and stays", async (t) => {
  const byHand = "/nix/store/99999999999999999999999999999999-nixos-system-by-hand";
  const m = await provedMachine(t, "grub");
  m.write(`${byHand}/bin/switch-to-configuration`, byHand);
  m.faults.answers.set("switch boot", full);
  const { c, trial } = await again(m);
  await t.rejects(c.commit(trial, healthy), commitIncomplete);
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
  const { c, trial } = await again(m);
  const etcNixos = path.join(m.root, "etc/nixos");
  rmSync(etcNixos, { recursive: true });
  m.write("/etc/nixos", "in the way");
  await t.rejects(c.commit(trial, healthy), commitIncomplete);
  for (let times = 0; times < 3; times++) await start(m).recover();
  t.equal(m.bootDefault(), fresh, "its boot entry was written");
  const told = /^\/etc\/nixos does not describe it/;
  t.match(await start(m).runs(unproved.digest), { runs: true, incomplete: told });
  m.cutPower();
  m.bootNext(good);
  m.cutPower();
  t.match(await start(m).runs(unproved.digest), {
    chosen: /was chosen when the machine was booted/,
  });
  m.cutPower();
  rmSync(etcNixos);
  await start(m).repair({ deep: false, share: 0 });
  t.match(await start(m).runs(unproved.digest), { runs: true, incomplete: null });
});
