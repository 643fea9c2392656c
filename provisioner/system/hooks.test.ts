import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { Fault } from "#core/fault.ts";
import type { HookRecord } from "#provisioner/render/hooks.ts";
import { type SystemClient, systemClient } from "./client.ts";
import { type FakeMachine, fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import type { HookResults } from "./hooks.ts";
import type { ChangeReason, Plan, Verdict } from "./system.ts";

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: [], passes: 1, ms: 1 };
const sick: Verdict = { healthy: false, reasons: ["http: refused"], passes: 0, ms: 1 };

/** A machine that writes down which hooks ran, and what ran then. */
function machine(test: { teardown(action: () => void): unknown }) {
  const root = mkdtempSync(path.join(tmpdir(), "firstlight-hooks-"));
  test.teardown(() => rmSync(root, { recursive: true, force: true }));
  const m = fakeMachine(root);
  const ran: string[] = [];
  const failing = new Set<string>();
  m.faults.answers.set("hook", ({ file }) => {
    const name = /^firstlight-hook-(.+)-[0-9T]{15}-[0-9a-f]{8}$/.exec(file)?.[1] ?? file;
    ran.push(`${name} while ${m.running() === m.image ? "the old" : "the new"} runs`);
    return { code: failing.has(name) ? 7 : 0 };
  });
  return { m, ran, failing, c: systemClient(m.start().system) };
}

function hook(name: string, when: HookRecord["when"], more: Partial<HookRecord> = {}): HookRecord {
  const command = ["/bin/true", name];
  return { name, when, command, script: null, timeoutMs: 60_000, aborts: true, ...more };
}

const all = [
  hook("save", "pre-update"),
  hook("check", "pre-update"),
  hook("tell", "post-update"),
  hook("restore", "post-rollback"),
];

async function planned(m: FakeMachine, c: SystemClient, name: string, hooks = all): Promise<Plan> {
  const closure = await c.build(fakeSources(name), reason);
  const file = path.join(m.root, closure.toplevel, "etc/firstlight/generation.json");
  mkdirSync(path.dirname(file), { recursive: true });
  const record = { v: 1, content: "", release: name, instance: "", credentials: [], commands: [] };
  writeFileSync(file, JSON.stringify({ ...record, hooks }));
  return c.plan(closure);
}

const results = (m: FakeMachine) =>
  JSON.parse(m.read("/var/lib/firstlight/hooks.json") ?? "null") as HookResults;

t.test(
  "hooks run around a change that stays, each once, and what they ended with is kept",
  async (t) => {
    const { m, ran, c } = machine(t);
    const plan = await planned(m, c, "a");
    t.match(plan.commands[0]?.join(" "), /--unit=firstlight-hook-save-.* -- \/bin\/true save$/);
    t.match(plan.commands.at(-1)?.join(" "), /--unit=firstlight-hook-tell-/);
    const trial = await c.try(plan);
    t.strictSame(ran, ["save while the old runs", "check while the old runs"]);
    await c.commit(trial, healthy);
    t.strictSame(ran.slice(2), ["tell while the new runs"]);
    await c.recover();
    await c.commit(trial, healthy);
    t.equal(ran.length, 3);
    t.match(results(m), {
      transaction: trial.transaction,
      settled: trial.transaction,
      results: [
        { name: "save", exitCode: 0, failure: null },
        { name: "check", exitCode: 0, failure: null },
        { name: "tell", exitCode: 0, failure: null },
      ],
    });
  },
);

t.test(
  "a change that goes back runs its other hooks, when the old system runs again",
  async (t) => {
    const { m, ran, c } = machine(t);
    await c.rollBack(await c.try(await planned(m, c, "a")), sick);
    t.strictSame(ran.slice(2), ["restore while the old runs"]);
  },
);

t.test("going back to a generation runs the hooks of that one", async (t) => {
  const { m, ran, c } = machine(t);
  const own = ["pre-update", "post-update", "post-rollback"] as const;
  for (const name of ["a", "b"]) {
    const hooks = own.map((when) => hook(`${when}-of-${name}`, when));
    await c.commit(await c.try(await planned(m, c, name, hooks)), healthy);
  }
  ran.length = 0;
  const back = { ...reason, by: "rollback" } as const;
  await c.commit(await c.try((await c.planGeneration(2, back)).plan), healthy);
  const names = () => ran.map((line) => line.split(" ")[0]);
  t.strictSame(names(), ["pre-update-of-a", "post-update-of-a"]);
  await c.rollBack(await c.try((await c.planGeneration(3, back)).plan), sick);
  t.strictSame(names().slice(2), ["pre-update-of-b", "post-rollback-of-b"]);
});

t.test("a hook before the change may call it off", async (t) => {
  const { m, ran, failing, c } = machine(t);
  failing.add("save");
  const plan = await planned(m, c, "a");
  await t.rejects(c.try(plan), {
    code: "system/hook-failed",
    message: /^save: it ended with exit code 7; journalctl -u firstlight-hook-save-/,
  });
  t.strictSame(ran, ["save while the old runs"], "neither the next hook nor the new system");
  t.equal(m.running(), m.image);
  t.equal(m.timers.size, 0);
  t.equal(m.failedUnits.size, 0);
  t.match(results(m).results, [{ name: "save", exitCode: 7 }]);
  t.match(await c.recover(), { state: "abandoned" });
  failing.clear();
  t.match(await c.try(await planned(m, c, "a")), { activation: "switched" });
});

t.test("one that only warns, or that comes too late, calls nothing off", async (t) => {
  const { m, ran, failing, c } = machine(t);
  for (const name of ["save", "tell"]) failing.add(name);
  const hooks = all.map((each) => ({ ...each, aborts: false }));
  const trial = await c.try(await planned(m, c, "a", hooks));
  t.match(await c.commit(trial, healthy), { generation: 2 });
  t.equal(ran.length, 3);
  t.strictSame(
    results(m).results.map(({ name, exitCode }) => [name, exitCode]),
    [
      ["save", 7],
      ["check", 0],
      ["tell", 7],
    ],
  );
});

const ends = {
  "could not be run": () => {
    throw new Fault("exec/not-found", "systemd-run: no such program");
  },
  "was killed": () => ({ code: null }),
  "did not end within 60000 ms": () => ({ code: null, timedOut: true }),
};

for (const [words, end] of Object.entries(ends)) {
  t.test(`a hook that ${words} has failed`, async (t) => {
    const { m, c } = machine(t);
    m.faults.answers.set("hook", end);
    const attempt = c.try(await planned(m, c, "a"));
    await t.rejects(attempt, { code: "system/hook-failed", message: new RegExp(words) });
    t.equal(m.running(), m.image);
  });
}

t.test("what has changed while hooks ran is not activated over", async (t) => {
  const { m, c } = machine(t);
  m.faults.answers.set("hook", () => {
    m.link(systemOf(fakeSources("z")), "/run/current-system");
    return {};
  });
  await t.rejects(c.try(await planned(m, c, "a")), { code: "system/plan-stale" });
});

t.test("killed at any effect of a commit, its hooks have run in the end", async (t) => {
  let deaths = 0;
  for (let dieAt = 1; dieAt < 100; dieAt++) {
    const { m, ran, c } = machine(t);
    const trial = await c.try(await planned(m, c, "a"));
    const doomed = m.start({ dieAt });
    await systemClient(doomed.system)
      .commit(trial, healthy)
      .catch(() => {});
    if (!doomed.dead()) break;
    deaths += 1;
    const next = systemClient(m.start().system);
    await next.recover();
    await next.recover();
    const after = ran.filter((line) => !/^(save|check) /.test(line));
    const [first = ""] = after;
    t.ok(after.length === 1 || after.length === 2, `${dieAt}: ${after}`);
    t.match(first, m.running() === m.image ? /^restore/ : /^tell/);
    t.equal(results(m).settled, trial.transaction);
  }
  t.ok(deaths > 10, `${deaths} deaths`);
});

t.test(
  "a hook's script comes from its credential, and no word of it is in a command",
  async (t) => {
    const { m, c } = machine(t);
    const script = { name: "hook-0", file: "hook-0@1", encrypted: true, shell: "bash" } as const;
    const plan = await planned(m, c, "a", [hook("save", "pre-update", { command: [], script })]);
    const [line = []] = plan.commands;
    const credentials = "/var/lib/firstlight/credentials";
    t.ok(line.includes(`--property=LoadCredentialEncrypted=hook-0:${credentials}/hook-0@1`));
    const run = `exec bash "$CREDENTIALS_DIRECTORY/$0"`;
    t.strictSame(line.slice(-4), ["/bin/sh", "-c", run, "hook-0"]);
  },
);
