import { rmSync } from "node:fs";
import t from "tap";
import { systemClient } from "./client.ts";
import { type FakeMachine, fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import { machineDirectory } from "./machine-directory.ts";
import type { ChangeReason, Verdict } from "./system.ts";

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 1 };
const sick: Verdict = { healthy: false, reasons: ["http: refused"], passes: 0, ms: 1 };
const limits = { keep: 1, maxAgeMs: null, minFreeBytes: 0, garbage: "never" } as const;

function machine(test: { teardown(action: () => void): unknown }): FakeMachine {
  const root = machineDirectory("proof");
  test.teardown(() => rmSync(root, { recursive: true, force: true }));
  return fakeMachine(root);
}

async function commit(m: FakeMachine, name: string): Promise<void> {
  const c = systemClient(m.start().system);
  await c.recover();
  await c.commit(await c.try(await c.plan(await c.build(fakeSources(name), reason))), healthy);
}

/** Boots what is the boot default, and says how it is. */
async function bootAndProve(m: FakeMachine, verdict: Verdict): Promise<void> {
  m.cutPower();
  const c = systemClient(m.start().system);
  const { unproved } = await c.recover();
  if (unproved === null) throw new Error("expected a system that is not proved");
  await c.prove(verdict);
}

t.test("nobody goes back to a system that failed in a boot of its own", async (t) => {
  const m = machine(t);
  await commit(m, "a");
  await bootAndProve(m, healthy);
  await commit(m, "b");
  await bootAndProve(m, sick);
  await commit(m, "c");
  const c = systemClient(m.start().system);
  const [a, b] = [systemOf(fakeSources("a")), systemOf(fakeSources("b"))];
  const { boot, generations } = await c.history();
  t.match(boot, { proved: false, previousGood: { toplevel: a } });
  const good = generations.flatMap((made) => (made.previousGood ? [made.toplevel] : []));
  t.same(good, [a]);
  const { plan } = await c.planGeneration(null, reason);
  t.equal(plan.closure.toplevel, a);
  await c.collect(limits, false);
  const left = (await c.history()).generations.map(({ toplevel }) => toplevel);
  t.ok(left.includes(a), "and it is kept");

  await commit(m, "b");
  await bootAndProve(m, healthy);
  await commit(m, "d");
  const again = await systemClient(m.start().system).planGeneration(null, reason);
  t.equal(again.plan.closure.toplevel, b, "one that was well later is forgiven");
});

t.test("nor is it tried again at once because the datasource asks for it", async (t) => {
  const m = machine(t);
  await commit(m, "a");
  await bootAndProve(m, healthy);
  await commit(m, "b");
  await bootAndProve(m, sick);
  await commit(m, "c");
  const tried = async (by: ChangeReason["by"]) => {
    const c = systemClient(m.start().system);
    await c.recover();
    const plan = await c.plan(await c.build(fakeSources("b"), { ...reason, by }));
    return c.try(plan);
  };
  await t.rejects(tried("boot"), {
    code: "system/release-denied",
    message: /^\S+ was left in \S+ \(it was booted and not well\); it is not tried again before /,
  });
  t.match(await tried("apply"), { activation: "switched" });
});

t.test("who proves a boot is given what its trial was judged by", async (t) => {
  const m = machine(t);
  const c = systemClient(m.start().system);
  const judging = { baseline: { failedUnits: ["always.service"] } };
  const plan = await c.plan(await c.build(fakeSources("a"), reason));
  await c.commit(await c.try(plan, { judging }), healthy);
  m.cutPower();
  t.match((await systemClient(m.start().system).recover()).unproved, { judging });
});

t.test("the system that was proved last is kept while nothing after it is", async (t) => {
  const m = machine(t);
  await commit(m, "a");
  await bootAndProve(m, healthy);
  for (const name of ["b", "c", "d"]) await commit(m, name);
  const c = systemClient(m.start().system);
  await c.collect(limits, false);
  const left = (await c.history()).generations.map(({ toplevel }) => toplevel);
  t.ok(left.includes(systemOf(fakeSources("a"))));
  t.equal(
    (await c.planGeneration(null, reason)).plan.closure.toplevel,
    systemOf(fakeSources("c")),
    "who goes back goes one step",
  );
});

t.test("the boot menu is on the disk before it is written down that it is", async (t) => {
  const m = machine(t);
  const { system, io } = m.start();
  const c = systemClient(system);
  await c.recover();
  await c.commit(await c.try(await c.plan(await c.build(fakeSources("a"), reason))), healthy);
  const ran = io.executed.map(({ file, args }) => [file, ...(args ?? [])].join(" "));
  const at = ran.findLastIndex((argv) => argv.endsWith("switch-to-configuration boot"));
  t.match(ran[at + 1] ?? ran.join("\n"), /^sync -f \S*\/boot$/);
});
