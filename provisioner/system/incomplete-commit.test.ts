import { readlinkSync, rmSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import type { FakeLoader } from "./fake-firmware.ts";
import { fresh, good, healthy, provedMachine, reason, start, unproved } from "./fake-first-boot.ts";
import { type FakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import type { ChangeReason } from "./system.ts";

// A commit whose boot entry or sources cannot be written, however often that is tried.

const full = () => ({ code: 1, stderr: "No space left on device\n" });
const commitIncomplete = { code: "system/commit-incomplete" };
const loaders: readonly FakeLoader[] = ["systemd-boot", "grub", "extlinux"];

/** A machine whose menu cannot be written, and whose commit of {@link fresh} has ended without it. */
async function withoutEntry(
  t: Test,
  loader: FakeLoader,
  by: ChangeReason["by"] = "boot",
): Promise<FakeMachine> {
  const m = await provedMachine(t, loader);
  const c = start(m);
  const trial = await c.try(await c.plan(await c.build(unproved, { ...reason, by })));
  m.faults.answers.set("switch boot", full);
  await t.rejects(c.commit(trial, healthy), commitIncomplete);
  t.match(await start(m).recover(), { state: "continued", fault: commitIncomplete });
  t.match(await start(m).recover(), {
    state: "continued",
    fault: {
      ...commitIncomplete,
      message: /generation 3: its boot entry could not be written yet: /,
    },
  });
  t.strictSame([m.running(), m.profile(), m.bootDefault()], [fresh, fresh, good]);
  return m;
}

for (const loader of loaders) {
  t.test(`${loader}: every later start tries the boot entry again`, async (t) => {
    const m = await withoutEntry(t, loader);
    for (let times = 0; times < 3; times++) {
      t.match(await start(m).recover(), { state: "continued", fault: commitIncomplete });
    }
    const { trials } = await start(m).history();
    t.match(trials.at(-1), { result: "committed", reasons: ["all passed", /its boot entry/] });
    m.faults.answers.clear();
    t.match(await start(m).recover(), {
      ...{ state: "continued", fault: null, transaction: trials.at(-1)?.transaction },
      details: ["the commit of generation 3 was finished"],
    });
    t.equal(m.bootDefault(), fresh);
    t.match(await start(m).recover(), { state: "clean", fault: null });
    t.match((await start(m).history()).trials.at(-1)?.reasons, ["all passed"]);
    m.cutPower();
    t.equal(m.running(), fresh);
  });

  t.test(`${loader}: nobody has chosen what the loader starts in its place`, async (t) => {
    const m = await withoutEntry(t, loader);
    m.cutPower();
    t.equal(m.running(), good, "the loader knows of no other yet");
    const nobody = { runs: false, chosen: null };
    t.match(await start(m).runs(unproved.digest), nobody);
    m.faults.answers.clear();
    t.match(await start(m).recover({ judges: true }), { state: "continued", fault: null });
    t.match(await start(m).runs(unproved.digest), nobody, "nor in the rest of that boot");
    t.equal(m.bootDefault(), fresh);
    m.cutPower();
    t.equal(m.running(), fresh);
    t.match(await start(m).runs(unproved.digest), { runs: true, chosen: null });
    m.bootNext(good);
    m.cutPower();
    const byPerson = "generation 2 was chosen when the machine was booted";
    t.match(await start(m).runs(unproved.digest), { runs: false, chosen: byPerson });
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
}

t.test("a commit that ends in a boot of the system before is nobody's choice either", async (t) => {
  const m = await provedMachine(t, "grub");
  const c = start(m);
  const trial = await c.try(await c.plan(await c.build(unproved, reason)));
  m.faults.answers.set("switch boot", full);
  await t.rejects(c.commit(trial, healthy), commitIncomplete);
  m.cutPower();
  t.equal(m.running(), good);
  m.faults.answers.clear();
  t.match(await start(m).recover({ judges: true }), { state: "continued", fault: null });
  t.match(await start(m).runs(unproved.digest), { runs: false, chosen: null });
});

t.test(
  "what a person went back to is still theirs in the boot that does not have it",
  async (t) => {
    const m = await withoutEntry(t, "grub", "rollback");
    m.cutPower();
    t.equal(m.running(), good);
    t.match(await start(m).runs(unproved.digest), { runs: false, chosen: "rollback: a test" });
    m.faults.answers.clear();
    await start(m).recover({ judges: true });
    m.cutPower();
    t.equal(m.running(), fresh, "the next one has it");
  },
);

t.test("what the loader may start stays, over any number of such commits", async (t) => {
  const m = await withoutEntry(t, "grub");
  for (const name of ["c", "d"]) {
    const c = start(m);
    const trial = await c.try(await c.plan(await c.build(fakeSources(name), reason)));
    await t.rejects(c.commit(trial, healthy), commitIncomplete);
    for (let times = 0; times < 2; times++) await start(m).recover();
  }
  t.equal(m.bootDefault(), good);
  const kept = async () =>
    new Map((await collect(m)).map(({ generation, why }) => [generation, why]));
  t.match((await kept()).get(2), /boot loader/);
  m.cutPower();
  t.equal(m.running(), good);
  t.match(await start(m).runs(""), { chosen: null });
  m.faults.answers.clear();
  await start(m).recover({ judges: true });
  m.cutPower();
  t.equal(m.running(), systemOf(fakeSources("d")));
  t.notMatch((await kept()).get(2), /boot loader/);
});

/** What would stay of the generations if only the newest did. */
async function collect(m: FakeMachine) {
  const limits = { keep: 1, maxAgeMs: null, minFreeBytes: 0, garbage: "never" } as const;
  const { generations } = await start(m).collect(limits, true);
  return generations.map(({ generation, why }) => ({ generation, why: why.join(", ") }));
}

t.test("another boot default that somebody makes meanwhile is told, and stays", async (t) => {
  const byHand = "/nix/store/99999999999999999999999999999999-nixos-system-by-hand";
  const m = await provedMachine(t, "grub");
  m.write(`${byHand}/bin/switch-to-configuration`, byHand);
  const c = start(m);
  const trial = await c.try(await c.plan(await c.build(unproved, reason)));
  m.faults.answers.set("switch boot", full);
  await t.rejects(c.commit(trial, healthy), commitIncomplete);
  m.faults.answers.clear();
  m.choose(byHand);
  const told = /by-hand was made the boot default since, by hand; it is left alone/;
  t.match(await start(m).recover(), { state: "continued", fault: null, details: [told] });
  t.match((await start(m).history()).trials.at(-1)?.reasons.at(-1), told);
  t.match(await start(m).recover(), { state: "clean" });
  t.equal(m.bootDefault(), byHand);
});

t.test("sources that cannot be published are published by a later start", async (t) => {
  const m = await provedMachine(t, "grub");
  const c = start(m);
  const trial = await c.try(await c.plan(await c.build(unproved, reason)));
  const etcNixos = path.join(m.root, "etc/nixos");
  rmSync(etcNixos, { recursive: true });
  m.write("/etc/nixos", "in the way");
  await t.rejects(c.commit(trial, healthy), commitIncomplete);
  for (let times = 0; times < 3; times++) await start(m).recover();
  t.equal(m.bootDefault(), fresh, "its boot entry was written");
  const told = /\/etc\/nixos could not be written yet/;
  t.match((await start(m).history()).trials.at(-1)?.reasons.at(-1), told);
  rmSync(etcNixos);
  t.match(await start(m).recover(), { state: "continued", fault: null });
  t.match(readlinkSync(path.join(etcNixos, "configuration.nix")), unproved.digest);
  t.match(await start(m).recover(), { state: "clean" });
});
