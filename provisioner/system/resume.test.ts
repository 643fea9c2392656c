import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { type SystemClient, systemClient } from "./client.ts";
import { type FakeMachine, fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import { machineDirectory } from "./machine-directory.ts";
import type { ChangeReason, Recovery, Verdict } from "./system.ts";

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 10 };
const [a, b] = [fakeSources("a"), fakeSources("b")];
const judging = { health: { passes: 2 } };

interface Teardown {
  teardown(action: () => void): unknown;
}

/** A machine that has `a` committed. */
async function machine(test: Teardown, systemd = true): Promise<FakeMachine> {
  const root = mkdtempSync(path.join(tmpdir(), "firstlight-resume-"));
  test.teardown(() => rmSync(root, { recursive: true, force: true }));
  const m = fakeMachine(root, { systemd });
  const c = systemClient(m.start().system);
  await c.commit(await c.try(await c.plan(await c.build(a, reason))), healthy);
  return m;
}

async function tryB(c: SystemClient) {
  return c.try(await c.plan(await c.build(b, reason)), { watchMs: 1_000, judging });
}

/** Tries `b` in a process that dies at the first effect after that name. */
async function dieAfter(m: FakeMachine, name: string): Promise<void> {
  const sample = m.start();
  for (let dieAt = 1; ; dieAt++) {
    const { system, io, dead } = m.start({ dieAt });
    await tryB(systemClient(system)).catch((error) => {
      if (!dead()) throw error;
    });
    if (!dead()) throw new Error(`${name}: no such effect in ${sample.io.effects.join()}`);
    if (io.effects.at(-1) === name) return;
    await systemClient(m.start().system).recover();
  }
}

const recover = (m: FakeMachine, judges = true): Promise<Recovery> =>
  systemClient(m.start().system).recover({ judges });

t.test("a trial whose judge has died is handed to the next, its time begun anew", async (t) => {
  const m = await machine(t);
  await tryB(systemClient(m.start().system));
  const c = systemClient(m.start().system);
  const { state, trial, details } = await c.recover({ judges: true });
  t.equal(state, "trial");
  t.same(details, ["the trial was tried, and goes on"]);
  t.match(trial, { judging, reason, trial: { activation: "switched", toplevel: systemOf(b) } });
  t.equal(m.timers.size, 1, "the way back is still armed");
  if (trial === null) return;
  await c.commit(trial.trial, healthy);
  t.same([m.running(), m.bootDefault()], [systemOf(b), systemOf(b)]);
  t.equal(m.timers.size, 0);
});

t.test("an activation that outlived its firstlight is waited for and read", async (t) => {
  const ends = [
    { code: 0, expected: { activation: "switched", exitCode: 0, message: null } },
    { code: 4, expected: { activation: "degraded", exitCode: 4, message: /a unit or a step/ } },
    { code: 2, expected: { activation: "degraded", exitCode: 2 } },
  ] as const;
  for (const { code, expected } of ends) {
    const m = await machine(t);
    m.faults.answers.set("systemd-run", ({ args }) => {
      const unit = args.find((arg) => arg.startsWith("--unit=firstlight-switch-"))?.slice(7);
      if (unit === undefined) return undefined;
      m.runningUnits.set(unit, { code });
      m.link(systemOf(b), "/run/current-system");
      return { code: 0 };
    });
    await dieAfter(m, "switch-to-configuration test");
    m.faults.answers.clear();
    t.equal(m.runningUnits.size, 1, "the unit runs on");
    const { state, trial } = await recover(m);
    t.equal(state, "trial");
    t.match(trial?.trial, { ...expected, toplevel: systemOf(b), bootId: "boot-1" });
    t.same([m.runningUnits.size, m.failedUnits.size], [0, 0]);
    t.match(await recover(m), { state: "trial" }, "and once more, from the journal");
  }
});

t.test("how an activation ended is not lost with who was about to write it down", async (t) => {
  let goesOn = 0;
  for (let dieAt = 1, died = true; died; dieAt++) {
    const m = await machine(t);
    m.faults.answers.set("switch test", ({ file }) => {
      if (file !== systemOf(b)) return undefined;
      m.link(file, "/run/current-system");
      return { code: 4 };
    });
    const { system, dead } = m.start({ dieAt });
    await tryB(systemClient(system)).catch(() => {});
    died = dead();
    const { trial } = await recover(m);
    t.equal(m.failedUnits.size, 0, `killed at ${dieAt}`);
    if (trial === null) continue;
    goesOn += 1;
    t.match(trial.trial, { activation: "degraded", exitCode: 4 }, `killed at ${dieAt}`);
  }
  t.ok(goesOn > 3, `${goesOn} trials`);
});

t.test("one that hangs for ever, and outlived its firstlight, did not switch", async (t) => {
  const m = await machine(t);
  m.faults.answers.set("systemd-run", ({ args }) => {
    if (!args.some((arg) => arg.startsWith("--unit=firstlight-switch-"))) return undefined;
    m.link(systemOf(b), "/run/current-system");
    return { code: 0 };
  });
  await dieAfter(m, "switch-to-configuration test");
  m.faults.answers.clear();
  let stopped = false;
  m.faults.answers.set("systemctl", ({ args: [verb, ...rest] }) => {
    if (!rest.at(-1)?.startsWith("firstlight-switch-")) return undefined;
    if (verb === "stop") stopped = true;
    return { stdout: stopped ? "ActiveState=inactive\n" : "ActiveState=active\n" };
  });
  const { trial } = await recover(m);
  t.ok(stopped);
  t.match(trial?.trial, { activation: "refused", exitCode: null, message: /within its deadline/ });
});

/**
 * Starts firstlight so long after the trial began, with a clock that was set meanwhile; whether the time of
 * the way back began anew.
 */
async function renewsAfter(m: FakeMachine, ms: number, jumpMs = 0): Promise<boolean> {
  const { system, io } = m.start();
  io.clock.advance(ms);
  io.clock.jump(jumpMs);
  t.match(await systemClient(system).recover({ judges: true }), { state: "trial" });
  return io.executed.some(({ file, args }) => file === "systemctl" && args[0] === "restart");
}

t.test("who starts again and again keeps no trial for ever", async (t) => {
  const m = await machine(t);
  await tryB(systemClient(m.start().system));
  const wayBackMs = 1_800_000;
  t.ok(await renewsAfter(m, 60_000));
  t.ok(await renewsAfter(m, wayBackMs - 60_000), "by the time of its first arming");
  t.notOk(await renewsAfter(m, wayBackMs + 1_000));
  t.notOk(await renewsAfter(m, 100 * wayBackMs));
  t.equal(m.timers.size, 1, "the way back stays armed");
});

const dayMs = 86_400_000;
for (const [where, jumpMs] of Object.entries({
  "a day ahead": dayMs,
  "to 1970": -Date.UTC(2026, 0, 1),
  "as far back as it has run": -1_801_000,
})) {
  t.test(`a clock that is set ${where} makes a way back neither early nor late`, async (t) => {
    const m = await machine(t);
    await tryB(systemClient(m.start().system));
    t.ok(await renewsAfter(m, 60_000, jumpMs), "its judge has as long as it would have");
    t.notOk(await renewsAfter(m, 1_801_000, jumpMs), "and no longer");
    t.equal(m.timers.size, 1, "which systemd measures, by no time of day");
  });
}

t.test("nor a system that was booted to be tried", async (t) => {
  const root = machineDirectory("resume-booted");
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const m = fakeMachine(root, { loader: "systemd-boot" });
  const c = systemClient(m.start().system);
  const kernel = fakeSources("b with kernel-one");
  await c.try(await c.plan(await c.build(kernel, reason)), { watchMs: 1_000, judging });
  await c.restart();
  m.restartIfAsked();
  const dying = m.start();
  // It dies in the middle of taking up its trial, once the timer is armed.
  m.faults.full = (line) => line.includes('"step":"resume"') && line.includes('"result"');
  await systemClient(dying.system).recover({ judges: true });
  m.faults.full = () => false;
  t.equal(m.timers.size, 1);
  t.ok(await renewsAfter(m, 60_000));
  t.notOk(await renewsAfter(m, 1_800_000 + 1_000));
  t.equal(m.timers.size, 1);
});

/** What keeps a trial from going on; the way back is taken then. */
const obstacles: Readonly<Record<string, (m: FakeMachine) => void>> = {
  "its timer has fired": (m) => m.fireTimers(),
  "its timer is gone": (m) => (m.timers as Map<string, string>).clear(),
  "its timer cannot be set anew": (m) => {
    m.faults.answers.set("systemctl", ({ args: [verb] }) =>
      verb === "restart" ? { code: 1 } : undefined,
    );
  },
  "the machine was restarted": (m) => m.cutPower(),
};

for (const [name, happen] of Object.entries(obstacles)) {
  t.test(`a trial does not go on where ${name}`, async (t) => {
    const m = await machine(t);
    await tryB(systemClient(m.start().system));
    happen(m);
    t.match(await recover(m), { state: "rolled-back", trial: null });
    t.same([m.running(), m.bootDefault(), m.timers.size], [systemOf(a), systemOf(a), 0]);
  });
}

t.test("nor where a person has activated another system, which is left alone", async (t) => {
  const m = await machine(t);
  await tryB(systemClient(m.start().system));
  m.link(m.image, "/run/current-system");
  t.match(await recover(m), { state: "rolled-back", details: [/tried/, /by hand/, /runs$/] });
  t.same([m.running(), m.bootDefault(), m.timers.size], [m.image, systemOf(a), 0]);
});

t.test(
  "nor for a caller that cannot judge it, nor without systemd to hold its way back",
  async (t) => {
    const m = await machine(t);
    await tryB(systemClient(m.start().system));
    t.match(await recover(m, false), { state: "rolled-back" });
    const plain = await machine(t, false);
    await tryB(systemClient(plain.start().system));
    t.match(await recover(plain), { state: "rolled-back" });
    t.equal(plain.running(), systemOf(a));
  },
);

t.test("an activation that never began is none to go on with", async (t) => {
  const m = await machine(t);
  await dieAfter(m, "sync store");
  t.match(await recover(m), { state: "rolled-back", trial: null });
  t.same([m.running(), m.timers.size], [systemOf(a), 0]);
});
