import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { type SystemClient, systemClient } from "./client.ts";
import { type FakeMachine, fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import type { ChangeReason, Verdict } from "./system.ts";

const boot: ChangeReason = { by: "boot", why: "a test", instanceId: "i-1", hardwareProfile: "x" };
const person: ChangeReason = { ...boot, by: "apply" };
const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 10 };
const sick: Verdict = { healthy: false, reasons: ["http: refused"], passes: 0, ms: 10 };
const [a, b] = [fakeSources("a"), fakeSources("b")];
const dayMs = 86_400_000;

interface Teardown {
  teardown(action: () => void): unknown;
}

async function machine(test: Teardown): Promise<FakeMachine> {
  const root = mkdtempSync(path.join(tmpdir(), "firstlight-releases-"));
  test.teardown(() => rmSync(root, { recursive: true, force: true }));
  const m = fakeMachine(root);
  await apply(at(m), a);
  return m;
}

/** A process whose clock stands so far from the first one's. */
function at(m: FakeMachine, ms = 0): SystemClient {
  const { system, io } = m.start();
  io.clock.advance(ms);
  return systemClient(system);
}

async function tried(c: SystemClient, sources = b, reason = boot) {
  return c.try(await c.plan(await c.build(sources, reason)));
}

async function apply(c: SystemClient, sources: typeof a, reason = boot) {
  return c.commit(await tried(c, sources, reason), healthy);
}

async function fails(c: SystemClient, reason = boot) {
  const trial = await tried(c, b, reason);
  await c.rollBack(trial, sick);
  return trial;
}

/** What was taken back. */
async function taken(c: SystemClient) {
  return (await c.history()).generations.filter(({ outcome }) => outcome === "rolled-back");
}

t.test("what was not healthy is not built again until its time is over", async (t) => {
  const m = await machine(t);
  const trial = await fails(at(m));
  await t.rejects(at(m, 1_000).build(b, boot), {
    code: "system/release-denied",
    message: `this release was taken back in ${trial.transaction} (http: refused); it is not tried again before 2026-01-02T00:00:00.000Z`,
  });
  const { denied } = await at(m).history();
  t.match(denied, [
    {
      ...{ release: b.digest, hardwareProfile: "x", transaction: trial.transaction },
      until: "2026-01-02T00:00:00.000Z",
    },
  ]);
  t.match(await taken(at(m)), [{ conclusive: true, reasons: ["http: refused"] }]);
  await at(m).build(fakeSources("c"), boot);
  await at(m).build(b, { ...boot, hardwareProfile: "y" });
  t.same((await at(m, dayMs).history()).denied, []);
  await apply(at(m, dayMs), b);
  t.equal(m.running(), systemOf(b));
});

t.test("a person may try it at any time; once committed it is held back no more", async (t) => {
  const m = await machine(t);
  await fails(at(m));
  await apply(at(m), b, person);
  await apply(at(m), a);
  await apply(at(m), b);
  t.equal(m.running(), systemOf(b));
});

t.test("a clock that was wrong holds nothing back for years", async (t) => {
  const m = await machine(t);
  await fails(at(m, 3_000 * dayMs));
  await at(m).build(b, boot);
});

t.test("a verdict that says nothing about the release holds it back no longer", async (t) => {
  const m = await machine(t);
  const { transaction } = await fails(at(m));
  await at(m).conclude({ transaction, conclusive: false, reasons: ["http: fails before as well"] });
  const reasons = ["http: refused", "http: fails before as well"];
  t.match(await taken(at(m)), [{ conclusive: false, reasons }]);
  await at(m).build(b, boot);
  const again = await fails(at(m));
  await at(m).conclude({ transaction: again.transaction, conclusive: true, reasons: [] });
  await t.rejects(at(m).build(b, boot), { code: "system/release-denied" });
});

t.test("who is killed before it has concluded leaves that to the next", async (t) => {
  const named = { ...sick, failed: ["http"] };
  const judging = { health: { passes: 2 } };
  for (const conclusive of [true, false]) {
    const m = await machine(t);
    const c = at(m);
    const trial = await c.try(await c.plan(await c.build(b, boot)), { judging });
    await c.rollBack(trial, named);

    t.match(await at(m).recover(), { state: "clean", back: null }, "not to who cannot look");
    const { state, back } = await at(m).recover({ judges: true });
    t.match(
      { state, back },
      {
        state: "rolled-back",
        back: { transaction: trial.transaction, judging, verdict: named, reason: boot },
      },
    );
    t.match(back?.rolledBack, { toplevel: systemOf(a), generation: 2, restart: false });
    await at(m).conclude({ transaction: trial.transaction, conclusive, reasons: [] });
    t.match(await at(m).recover({ judges: true }), { state: "clean", back: null });
    t.equal((await at(m).history()).denied.length, conclusive ? 1 : 0);
  }
});

t.test(
  "nobody blames a release that nobody could judge, or that another switch kept away",
  async (t) => {
    const m = await machine(t);
    const c = at(m);
    await c.rollBack(await tried(c), { ...sick, conclusive: false });
    m.faults.answers.set("switch test", ({ file }) =>
      file === systemOf(b) ? { code: 11 } : undefined,
    );
    await c.rollBack(await tried(c), sick);
    await at(m).build(b, boot);
  },
);

t.test(
  "what was left because it is damaged is held back, and nobody has chosen that",
  async (t) => {
    const m = await machine(t);
    await apply(at(m), b);
    const why = "back to generation 2: 1 path of the store cannot be mended";
    const { plan } = await at(m).planGeneration(2, { ...boot, by: "repair", why });
    const back = at(m);
    await back.commit(await back.try(plan), healthy);
    t.equal(m.running(), systemOf(a));

    t.match(await at(m).runs(b.digest), { runs: false, chosen: null });
    await t.rejects(at(m, 1_000).build(b, boot), {
      code: "system/release-denied",
      message: /taken back in \S+ \(back to generation 2: .*not tried again before 2026-01-02T/,
    });
    t.match((await at(m).history()).denied, [{ release: b.digest, hardwareProfile: "x" }]);
    const previous = await at(m).planGeneration(null, person);
    t.equal(previous.plan.closure.toplevel, m.image, "nobody goes back to it unasked");

    const repairs = async (ms: number, sources: typeof b) => {
      const { system, io } = m.start();
      io.clock.advance(ms);
      await apply(systemClient(system), sources);
      return io.executed.some(({ args }) => args.includes("--repair"));
    };
    t.ok(await repairs(2_000, fakeSources("c")), "another may need what is damaged");
    t.ok(await repairs(dayMs, b), "it is built anew when its time has come");
    t.notOk(await repairs(dayMs, fakeSources("d")), "and with it all is whole");
  },
);

t.test("a release that begins again and again without an end is held back too", async (t) => {
  const m = await machine(t);
  for (let round = 0; round < 5; round++) {
    await tried(at(m, round * 1_000));
    t.match(await at(m).recover(), { state: "rolled-back" });
  }
  await t.rejects(at(m, 6_000).build(b, boot), {
    code: "system/release-looping",
    message: /^5 trials of this release began since 2026-01-01/,
  });
  await at(m, 6_000).build(fakeSources("c"), boot);
  await at(m, dayMs + 6_000).build(b, boot);
  await apply(at(m, 6_000), b, person);
  await apply(at(m, 6_000), a);
  await tried(at(m, 7_000));
});

t.test(
  "after a commit it is said whether the system has been booted, and what was good before",
  async (t) => {
    const m = await machine(t);
    const generation = async () => (await at(m).history()).boot;
    t.match(await generation(), {
      toplevel: systemOf(a),
      generation: 2,
      proved: false,
      previousGood: { toplevel: m.image, generation: 1 },
    });
    t.equal((await at(m).recover()).unproved, null, "it was not booted yet");
    await apply(at(m), b);
    t.match(
      await generation(),
      {
        toplevel: systemOf(b),
        proved: false,
        previousGood: { toplevel: m.image, generation: 1 },
      },
      "what was good is what was booted",
    );
    t.equal(await at(m).prove(healthy), null, "nothing is proved of what was not booted");

    m.cutPower();
    t.match((await at(m).recover()).unproved, { toplevel: systemOf(b), proved: false });
    t.match(await at(m).prove(sick), { proved: false, failures: 1 });
    t.match((await at(m).recover()).unproved, { failures: 1 });
    t.match(await at(m).prove(healthy), { proved: true });
    t.equal((await at(m).recover()).unproved, null);
    await apply(at(m), a);
    t.match(await generation(), {
      toplevel: systemOf(a),
      proved: false,
      previousGood: { toplevel: systemOf(b), generation: 3 },
    });
  },
);

t.test("what is booted and never well is looked at three times", async (t) => {
  const m = await machine(t);
  m.cutPower();
  for (let round = 0; round < 3; round++) {
    t.ok((await at(m).recover()).unproved);
    await at(m).prove(sick);
  }
  t.equal((await at(m).recover()).unproved, null);
  t.match((await at(m).history()).boot, { proved: false, failures: 3 });
});
