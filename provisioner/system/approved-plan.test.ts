import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { planDifferences } from "./approved-plan.ts";
import { type SystemClient, systemClient } from "./client.ts";
import { type FakeMachine, fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import { samplePlan } from "./sample-plan.ts";
import type { ChangeReason, Plan, Verdict } from "./system.ts";

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: [], passes: 1, ms: 1 };

function machine(test: { teardown(action: () => void): unknown }): FakeMachine {
  const root = mkdtempSync(path.join(tmpdir(), "firstlight-approved-"));
  test.teardown(() => rmSync(root, { recursive: true, force: true }));
  return fakeMachine(root);
}

function start(m: FakeMachine): SystemClient {
  return systemClient(m.start().system);
}

async function planned(c: SystemClient, name: string, keep = true): Promise<Plan> {
  return c.plan(await c.build(fakeSources(name), reason), keep);
}

t.test("an approved plan is tried, also by another process after another build", async (t) => {
  const m = machine(t);
  const { digest } = await planned(start(m), "a");
  const c = start(m);
  const trial = await c.try(await planned(c, "a", false), { approved: digest });
  t.match(trial, { activation: "switched", planDigest: digest });
  await c.commit(trial, healthy);
  t.equal(m.running(), systemOf(fakeSources("a")));
});

const surprises = {
  "another system was built": {
    name: "b",
    change: () => {},
    told: /the new system is \/nix\/store\/.*, expected \/nix\/store\//,
  },
  "another system runs": {
    name: "a",
    change: (m: FakeMachine) => m.link(systemOf(fakeSources("z")), "/run/current-system"),
    told: /the running system is .*, expected .*-image/,
  },
  "other units would be touched": {
    name: "a",
    change: (m: FakeMachine) =>
      m.faults.answers.set("switch-to-configuration", () => ({
        stderr: "would restart the following units: sshd.service\n",
      })),
    told: /another unit to restart: sshd\.service/,
  },
};

for (const [name, { name: content, change, told }] of Object.entries(surprises)) {
  t.test(`${name}: nothing is activated, and it is told`, async (t) => {
    const m = machine(t);
    const { digest } = await planned(start(m), "a");
    const c = start(m);
    change(m);
    const running = m.running();
    const plan = await planned(c, content, false);
    await t.rejects(c.try(plan, { approved: digest }), {
      code: "system/plan-stale",
      message: told,
    });
    t.equal(m.running(), running);
    t.equal(m.timers.size, 0);
    t.match(await c.recover(), { state: "abandoned" });
  });
}

t.test("what changes between plan and try is seen as well", async (t) => {
  const m = machine(t);
  const c = start(m);
  const plan = await planned(c, "a");
  m.faults.answers.set("switch-to-configuration", () => ({
    stderr: "would stop the following units: sshd.service\n",
  }));
  await t.rejects(c.try(plan, { approved: plan.digest }), {
    code: "system/plan-stale",
    message: /another unit to stop: sshd\.service/,
  });
  t.equal(m.running(), m.image);
  t.match(await c.try(plan), { activation: "switched" }, "without an approval it is only told");
});

t.test("a digest of which nothing is known is stale", async (t) => {
  const m = machine(t);
  const c = start(m);
  const plan = await planned(c, "a", false);
  await t.rejects(c.try(plan, { approved: "0".repeat(64) }), {
    code: "system/plan-stale",
    message: /it was not kept here/,
  });
  mkdirSync(path.join(m.root, "var/lib/firstlight/plans"), { recursive: true });
  writeFileSync(path.join(m.root, `var/lib/firstlight/plans/${"1".repeat(64)}.json`), "{");
  await t.rejects(c.try(plan, { approved: "1".repeat(64) }), { message: /it was not kept here/ });
  await t.rejects(c.try(plan, { approved: "../journal/journal" }), { code: "system/plan-stale" });
});

t.test("a plan keeps its digest whatever is free on the disks", async (t) => {
  const m = machine(t);
  const [one, two] = [m.start(), m.start()];
  const rest = { totalInodes: 0, freeInodes: 0, fileSystem: 1 };
  const roomy = { totalBytes: 2 ** 40, freeBytes: 2 ** 39, availableBytes: 2 ** 39, ...rest };
  two.io.files.space = () => roomy;
  const { digest } = await planned(systemClient(one.system), "a");
  const other = await planned(systemClient(two.system), "a");
  t.equal(other.digest, digest);
});

t.test("only the newest plans are kept", async (t) => {
  const m = machine(t);
  const c = start(m);
  const plans: string[] = [];
  for (let n = 1; n <= 22; n++) plans.push((await planned(c, `system-${n}`)).digest);
  const kept = readdirSync(path.join(m.root, "var/lib/firstlight/plans"));
  t.equal(kept.length, 20);
  t.ok(kept.includes(`${plans.at(-1)}.json`));
});

t.test("every difference between two plans is told", async (t) => {
  const now: Plan = {
    ...samplePlan,
    files: samplePlan.files.slice(1),
    options: (samplePlan.options ?? []).map((each) =>
      each.option === "boot.kernelParams" ? { ...each, after: '[ "debug" ]' } : each,
    ),
    difference: null,
    units: { ...samplePlan.units, stop: ["sshd.service"] },
    reboot: { needed: false, why: [] },
    warnings: [],
    commands: [],
  };
  const told = planDifferences(samplePlan, now);
  const expected = [
    "no file: changed firstlight/instance.nix",
    "another option: boot.kernelParams",
    /^no package: .*openssh/,
    "another unit to stop: sshd.service",
    "no reason to reboot: kernel is not the one this machine was booted with",
    /^no warning: would NOT restart/,
    /^no command: nix-env -p/,
  ];
  for (const line of expected)
    t.ok(
      told.some((text) => text.match(line)),
      String(line),
    );
  t.strictSame(planDifferences(samplePlan, samplePlan), []);
});

t.test("many differences of a kind are counted, and long names cut", async (t) => {
  const units = Array.from({ length: 40 }, (_, index) => `unit-${index}.service`);
  const now: Plan = {
    ...samplePlan,
    units: { ...samplePlan.units, stop: units },
    warnings: [{ kind: "units", message: "w".repeat(1000) }],
  };
  const told = planDifferences(samplePlan, now);
  t.ok(
    told.includes(
      "another unit to stop: unit-0.service, unit-1.service, unit-2.service and 37 more",
    ),
  );
  t.ok(told.some((text) => /^another warning: w{99}…$/.test(text)));
  t.ok(told.join("; ").length < 800);
});
