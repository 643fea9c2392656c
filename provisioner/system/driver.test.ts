import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { Fault } from "#core/fault.ts";
import { type SystemClient, systemClient, type TryOptions } from "./client.ts";
import { type FakeMachine, fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import type { ChangeReason, Plan, SystemEvent, Trial, Verdict } from "./system.ts";

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 10 };
const sick: Verdict = { healthy: false, reasons: ["http: refused"], passes: 0, ms: 10 };

interface Teardown {
  teardown(action: () => void): unknown;
}

function machine(test: Teardown, options: { systemd?: boolean } = {}): FakeMachine {
  const root = mkdtempSync(path.join(tmpdir(), "firstlight-system-"));
  test.teardown(() => rmSync(root, { recursive: true, force: true }));
  return fakeMachine(root, options);
}

function start(m: FakeMachine): SystemClient {
  return systemClient(m.start().system);
}

async function apply(c: SystemClient, name: string) {
  const trial = await c.try(await c.plan(await c.build(fakeSources(name), reason)));
  return c.commit(trial, healthy);
}

t.test(
  "a committed system runs, is booted by default and is described by /etc/nixos",
  async (t) => {
    const m = machine(t);
    const c = start(m);
    const a = fakeSources("a");
    t.match(await c.runs(a.digest), { runs: false });
    const closure = await c.build(a, reason);
    t.equal(m.running(), m.image, "a build changes nothing");
    const plan = await c.plan(closure);
    const trial = await c.try(plan);
    t.match(trial, { activation: "switched", previous: m.image, toplevel: systemOf(a) });
    t.equal(m.running(), systemOf(a));
    t.equal(m.bootDefault(), m.image, "the boot default is the old system during the trial");
    t.equal(m.timers.size, 1, "the way back is armed");
    t.same(await c.commit(trial, healthy), {
      generation: 2,
      toplevel: systemOf(a),
      sourcesDigest: a.digest,
      incomplete: null,
    });
    t.equal(m.profile(), systemOf(a));
    t.equal(m.bootDefault(), systemOf(a));
    t.equal(m.timers.size, 0, "the way back is disarmed");
    t.match(await c.runs(a.digest), { runs: true, generation: 2 });
    t.equal(
      readlinkSync(path.join(m.root, "etc/nixos/configuration.nix")),
      `../../var/lib/firstlight/sources/${a.digest}/configuration.nix`,
    );
    t.same(await c.commit(trial, healthy), await c.commit(trial, healthy), "asked again: the same");
    t.match(await c.recover(), { state: "clean", transaction: null, details: [], fault: null });
  },
);

t.test(
  "a trial that is rolled back leaves the previous system and what describes it",
  async (t) => {
    const m = machine(t);
    const c = start(m);
    await apply(c, "a");
    const a = fakeSources("a");
    const trial = await c.try(await c.plan(await c.build(fakeSources("b"), reason)));
    const back = await c.rollBack(trial, sick);
    t.same(back, {
      toplevel: systemOf(a),
      generation: 2,
      sourcesDigest: a.digest,
      reasons: ["http: refused"],
      restart: false,
    });
    t.same(await c.rollBack(trial, sick), back, "asked again: the same");
    t.equal(m.running(), systemOf(a));
    t.equal(m.bootDefault(), systemOf(a));
    t.match(readlinkSync(path.join(m.root, "etc/nixos/firstlight")), a.digest);
    t.match(await c.runs(a.digest), { runs: true });
    await t.rejects(c.commit(trial, healthy), { code: "system/no-trial" });
  },
);

t.test("history tells committed, rolled back and foreign apart", async (t) => {
  const m = machine(t);
  const c = start(m);
  await apply(c, "a");
  const trial = await c.try(await c.plan(await c.build(fakeSources("b"), reason)));
  await c.rollBack(trial, sick);
  const { generations } = await c.history();
  t.match(
    generations
      .map(({ generation, outcome, running, bootDefault }) => ({
        generation,
        outcome,
        running,
        bootDefault,
      }))
      .sort((x, y) => (x.generation ?? 9) - (y.generation ?? 9)),
    [
      { generation: 1, outcome: "foreign", running: false, bootDefault: false },
      { generation: 2, outcome: "committed", running: true, bootDefault: true },
      { generation: null, outcome: "rolled-back", running: false, bootDefault: false },
    ],
  );
  t.match(
    generations.find((g) => g.generation === 2),
    { reason, verdict: healthy },
  );
});

t.test("of generations that are the same system one runs: the boot default", async (t) => {
  const m = machine(t);
  const c = start(m);
  await apply(c, "a");
  await apply(c, "b");
  const { plan } = await c.planGeneration(2, reason);
  await c.commit(await c.try(plan), healthy);
  const { generations } = await c.history();
  const runs = generations.filter(({ running }) => running);
  t.match(runs, [{ generation: 4, toplevel: systemOf(fakeSources("a")), bootDefault: true }]);
});

t.test("who goes back is told what judged the generation, and that stays with it", async (t) => {
  const c = start(machine(t));
  const judging = { health: { passes: 7 } };
  const commit = async (plan: Plan, options: TryOptions) =>
    c.commit(await c.try(plan, options), healthy);
  const build = async (name: string) => c.plan(await c.build(fakeSources(name), reason));
  await commit(await build("a"), { judging });
  await commit(await build("b"), { judging: { text: "x".repeat(64 * 1024) } });
  const back = await c.planGeneration(2, reason);
  t.strictSame(back.judging, judging);
  t.equal((await c.planGeneration(3, reason)).judging, null, "too much to keep");
  t.equal((await c.planGeneration(1, reason)).judging, null, "and of the image nobody knows");
  await commit(back.plan, { judging: back.judging as { health: object } });
  await commit(await build("c"), {});
  t.strictSame((await c.planGeneration(null, reason)).judging, judging);
});

t.test("going back to a generation takes the same way as any change", async (t) => {
  const m = machine(t);
  const c = start(m);
  await apply(c, "a");
  await apply(c, "b");
  const trial = await c.try((await c.planGeneration(null, { ...reason, by: "rollback" })).plan);
  t.match(await c.commit(trial, healthy), { generation: 4, toplevel: systemOf(fakeSources("a")) });
  t.match(await c.runs(fakeSources("a").digest), { runs: true });

  const first = await c.try((await c.planGeneration(1, { ...reason, by: "rollback" })).plan);
  t.match(await c.commit(first, healthy), { toplevel: m.image, sourcesDigest: null });
  t.notOk(existsSync(path.join(m.root, "etc/nixos/configuration.nix")), "nothing describes it");
  await t.rejects(c.planGeneration(99, reason), { code: "system/generation-unknown" });
  rmSync(path.join(m.root, "nix/var/nix/profiles"), { recursive: true });
  for (const wanted of [99, null])
    await t.rejects(c.planGeneration(wanted, reason), { message: "there is no generation yet" });
});

t.test("a generation that was gone back to is taken back when it is not healthy", async (t) => {
  const m = machine(t);
  const c = start(m);
  await apply(c, "a");
  await apply(c, "b");
  const b = systemOf(fakeSources("b"));
  const trial = await c.try((await c.planGeneration(2, { ...reason, by: "rollback" })).plan);
  t.equal(m.running(), systemOf(fakeSources("a")));
  t.match(await c.rollBack(trial, sick), { toplevel: b, generation: 3 });
  t.strictSame([m.running(), m.bootDefault()], [b, b]);
  const taken = (await c.history()).generations.find(({ outcome }) => outcome === "rolled-back");
  t.match(taken, { toplevel: trial.toplevel, reason: { by: "rollback" }, verdict: sick });
});

t.test("an owner's /etc/nixos is kept, and comes back with the generation it made", async (t) => {
  const m = machine(t);
  mkdirSync(path.join(m.root, "etc/nixos"), { recursive: true });
  writeFileSync(path.join(m.root, "etc/nixos/configuration.nix"), "owner");
  const c = start(m);
  await apply(c, "a");
  const kept = path.join(m.root, "etc/nixos/configuration.nix.before-firstlight");
  t.equal(readFileSync(kept, "utf8"), "owner");
  await apply(c, "b");
  t.equal(readFileSync(kept, "utf8"), "owner");
  await c.commit(await c.try((await c.planGeneration(1, reason)).plan), healthy);
  t.equal(m.read("/etc/nixos/configuration.nix"), "owner");
  await apply(c, "c");
  t.match(m.read("/etc/nixos/configuration.nix"), "instance.nix");
  t.equal(readFileSync(kept, "utf8"), "owner");
});

const exits = [
  { code: 1, activation: "refused", words: /refused the activation/ },
  { code: 4, activation: "degraded", words: /a unit or a step/, moves: true },
  { code: 100, activation: "refused", words: /needs a reboot/ },
  { code: 11, activation: "refused", words: /another activation/ },
  { code: 2, activation: "degraded", words: /exit code 2/, moves: true },
  { code: null, timedOut: true, activation: "refused", words: /deadline/ },
] as const;

for (const systemd of [true, false]) {
  for (const exit of exits) {
    const name = `an activation that ends with ${exit.code} ${systemd ? "under" : "without"} systemd is ${exit.activation}`;
    t.test(name, async (t) => {
      const m = machine(t, { systemd });
      const b = fakeSources("b");
      m.faults.answers.set("switch test", ({ file }) => {
        if (file !== systemOf(b)) return undefined;
        if ("moves" in exit) {
          m.link(systemOf(b), "/run/current-system");
        }
        return { code: exit.code, timedOut: "timedOut" in exit, stderr: "some words\n" };
      });
      const c = start(m);
      await apply(c, "a");
      const trial = await c.try(await c.plan(await c.build(b, reason)));
      t.match(trial, { activation: exit.activation, exitCode: exit.code, message: exit.words });
      if (exit.activation === "refused") {
        await t.rejects(c.commit(trial, healthy), { code: "system/not-healthy" });
      }
      await c.rollBack(trial, sick);
      t.equal(m.running(), systemOf(fakeSources("a")));
      t.match(await c.runs(fakeSources("a").digest), { runs: true });
      t.equal(m.timers.size, 0);
      t.equal(m.failedUnits.size, 0, "no unit of ours counts as failed");
    });
  }
}

t.test("a verdict on another change, system or boot commits nothing", async (t) => {
  const c = start(machine(t));
  await apply(c, "a");
  const trial = await c.try(await c.plan(await c.build(fakeSources("b"), reason)));
  const { transaction, toplevel, bootId } = trial;
  const subject = { transaction, toplevel, bootId };
  for (const name of ["transaction", "toplevel", "bootId"] as const) {
    const other = { ...healthy, subject: { ...subject, [name]: "another" } };
    await t.rejects(c.commit(trial, other), {
      code: "system/not-healthy",
      message: new RegExp(`${name} another`),
    });
  }
  t.match(await c.commit(trial, { ...healthy, subject }), { toplevel });
});

t.test(
  "a first boot without any system before it is committed, or says what it cannot do",
  async (t) => {
    const m = machine(t);
    m.wipe();
    const c = start(m);
    const trial = await c.try(await c.plan(await c.build(fakeSources("a"), reason)));
    t.match(trial, { previous: null, activation: "switched" });
    const back = await c.rollBack(trial, sick);
    t.equal(back.toplevel, null);
    t.match(back.reasons.join(), /there was no system before/);
    t.match(await apply(c, "b"), { generation: 1 });
  },
);

t.test("nothing is activated when reality is not what the plan says", async (t) => {
  const m = machine(t);
  const c = start(m);
  const stale = await c.plan(await c.build(fakeSources("a"), reason));
  await apply(c, "b");
  await t.rejects(c.try(stale), { code: "system/plan-stale" });
  const plan = await c.plan(await c.build(fakeSources("c"), reason));
  await t.rejects(c.try({ ...plan, closure: { ...plan.closure, toplevel: m.image } }), {
    code: "system/plan-invalid",
  });
  t.equal(m.running(), systemOf(fakeSources("b")));
});

t.test("the plan's digest is the same for the same change and another for another", async (t) => {
  const m = machine(t);
  const c = start(m);
  const one = await c.plan(await c.build(fakeSources("a"), reason));
  const same = await c.plan(await c.build(fakeSources("a"), { ...reason, why: "again" }));
  const other = await c.plan(await c.build(fakeSources("b"), reason));
  t.not(one.closure.transaction, same.closure.transaction);
  t.equal(one.digest, same.digest);
  t.not(one.digest, other.digest);
});

t.test("a plan names files, units and the commands", async (t) => {
  const m = machine(t);
  const c = start(m);
  await apply(c, "a");
  m.faults.answers.set("switch dry-activate", () => ({
    stderr:
      "would stop the following units: old.service\nwould start the following units: new.service\n",
  }));
  const closure = await c.build(fakeSources("b"), reason);
  const events: SystemEvent[] = [];
  const told = systemClient(m.start().system, { onEvent: (event) => events.push(event) });
  const plan = await told.plan(closure);
  t.match(plan, {
    from: { toplevel: systemOf(fakeSources("a")), generation: 2 },
    files: [{ path: "firstlight/instance.nix", change: "changed" }],
    units: { start: ["new.service"], stop: ["old.service"], restart: [], reload: [] },
    reboot: { needed: false, why: [] },
  });
  events.length = 0;
  await told.commit(await told.try(plan), healthy);
  const ran = events.flatMap((event) => (event.type === "command" ? [event.argv] : []));
  const acting = ran.filter(([file, verb]) => file !== "systemctl" || verb !== "show");
  t.same(acting, plan.commands, "and they are what is run");
});

t.test("a timer that was faster than the judge leaves nothing to commit", async (t) => {
  const m = machine(t);
  const c = start(m);
  const trial = await c.try(await c.plan(await c.build(fakeSources("a"), reason)));
  m.fireTimers();
  await t.rejects(c.commit(trial, healthy), { code: "system/trial-lost" });
  t.match(await c.recover(), { state: "clean" }, "what was left of it was taken back");
  await c.rollBack(trial, sick);
  t.equal(m.running(), m.image);
  t.equal(m.bootDefault(), m.image);
});

t.test("a trial whose timer cannot be stopped is taken back, not left to the timer", async (t) => {
  const m = machine(t);
  const c = start(m);
  const trial = await c.try(await c.plan(await c.build(fakeSources("a"), reason)));
  let failing = 1;
  m.faults.answers.set("systemctl", ({ args: [verb] }) =>
    verb === "stop" && failing-- > 0 ? { code: 1, stderr: "Connection timed out\n" } : undefined,
  );
  await t.rejects(c.commit(trial, healthy), { code: "system/way-back-failed" });
  t.equal(m.running(), m.image);
  t.equal(m.timers.size, 0);
  t.match(await c.recover(), { state: "clean" });
});

const byHand = "/nix/store/11111111111111111111111111111111-nixos-system-by-hand";

const endings: Readonly<Record<string, (c: SystemClient, trial: Trial) => Promise<unknown>>> = {
  "a judge who finds it healthy": async (c, trial) => c.commit(trial, healthy),
  "a judge who finds it sick": async (c, trial) => c.rollBack(trial, sick),
  "the next start": async (c) => c.recover(),
};

for (const [how, end] of Object.entries(endings)) {
  t.test(`what a person activated during a trial is left alone by ${how}`, async (t) => {
    const m = machine(t);
    const c = start(m);
    await apply(c, "a");
    const trial = await c.try(await c.plan(await c.build(fakeSources("b"), reason)));
    m.link(byHand, "/run/current-system");
    const error = await end(c, trial).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error !== undefined) t.match(error, { code: "system/trial-lost" });
    t.equal(m.running(), byHand);
    t.equal(m.timers.size, 0, "no timer takes it back either");
    t.match(await c.recover(), { state: "clean" });
    const { generations } = await c.history();
    const tried = generations.find((made) => made.toplevel === systemOf(fakeSources("b")));
    t.match(tried, { outcome: "rolled-back", generation: null });
  });
}

t.test("a boot default chosen by hand after an unfinished commit is left alone", async (t) => {
  const m = machine(t);
  const c = start(m);
  const trial = await c.try(await c.plan(await c.build(fakeSources("a"), reason)));
  m.faults.answers.set("switch boot", () => ({ code: 1, stderr: "ESP is full\n" }));
  await t.rejects(c.commit(trial, healthy), { code: "system/commit-incomplete" });
  m.faults.answers.clear();
  m.link(byHand, "/nix/var/nix/profiles/system-3-link");
  m.link("system-3-link", "/nix/var/nix/profiles/system");
  t.match(await start(m).recover(), { state: "continued", fault: null });
  t.equal(m.profile(), byHand);
  t.equal(m.bootDefault(), m.image, "its boot entry is not touched");
  t.match(await start(m).recover(), { state: "clean" });
});

t.test("a build after a power cut looks at every path until one has succeeded", async (t) => {
  const m = machine(t);
  const repairs: boolean[] = [];
  let failing = true;
  m.faults.answers.set("nix-instantiate", ({ args }) => {
    repairs.push(args.includes("--repair"));
    return failing ? { code: 1, stderr: "error: no network\n" } : undefined;
  });
  const { system } = m.start({ dieAt: 6 });
  await t.rejects(systemClient(system).build(fakeSources("a"), reason), /died/);
  m.cutPower();
  const c = start(m);
  await c.recover();
  await t.rejects(c.build(fakeSources("a"), reason), { code: "system/evaluation-failed" });
  await t.rejects(c.build(fakeSources("a"), reason), { code: "system/evaluation-failed" });
  failing = false;
  await c.build(fakeSources("a"), reason);
  await c.build(fakeSources("b"), reason);
  t.same(repairs.slice(-4), [true, true, true, false]);
});

t.test("roots that nobody accounts for go with the next build, others stay", async (t) => {
  const m = machine(t);
  const c = start(m);
  const roots = "/nix/var/nix/gcroots/firstlight";
  for (const name of ["20260131T120000-0123abcd", "20260131T120000-0123abcd-drv", "of-the-owner"])
    m.link(m.image, `${roots}/${name}`);
  const { transaction } = await c.build(fakeSources("a"), reason);
  t.same(readdirSync(path.join(m.root, roots)).sort(), [
    transaction,
    `${transaction}-drv`,
    "of-the-owner",
  ]);
});

t.test("a full disk is said as such, and nothing is activated", async (t) => {
  const m = machine(t);
  const c = start(m);
  const plan = await c.plan(await c.build(fakeSources("a"), reason));
  m.faults.full = () => true;
  await t.rejects(c.try(plan), { code: "io/write-failed" });
  t.equal(m.running(), m.image);
  m.faults.full = (line) => /"kind":"result"/.test(line) && /"step":"(activate|try)"/.test(line);
  await t.rejects(c.try(plan), { code: "io/write-failed" });
  t.equal(m.running(), m.image, "what was activated was taken back");
  m.faults.full = () => false;
  t.match(await apply(start(m), "b"), { generation: 2 });
});

t.test("plans that name what is no transaction or no system are refused", async (t) => {
  const m = machine(t);
  const c = start(m);
  const closure = await c.build(fakeSources("a"), reason);
  const named = await c.plan({ ...closure, transaction: "../../../etc" });
  await t.rejects(c.try(named), { code: "system/plan-invalid" });
  for (const toplevel of [`${closure.toplevel}/../../tmp`, "/etc", "--help"]) {
    await t.rejects(c.plan({ ...closure, toplevel }), { code: "system/closure-missing" });
  }
});

t.test("what Nix says when it fails becomes a fault, and the machine stays as it is", async (t) => {
  const cases = [
    {
      program: "nix-instantiate",
      answer: { code: 1, stderr: "error: undefined variable 'x'\n" },
      code: "system/evaluation-failed",
    },
    {
      program: "nix-store",
      answer: {
        code: 100,
        stderr:
          "error: builder for '/nix/store/x.drv' failed with exit code 7;\n       last 1 log lines:\n       > boom\n",
      },
      code: "system/build-failed",
      message: /x\.drv: exit code 7; last lines:\nboom/,
    },
    {
      program: "nix-store",
      answer: { code: 1, stderr: "error: writing to file: No space left on device\n" },
      code: "system/disk-full",
    },
    { program: "nix-store", answer: { code: null, timedOut: true }, code: "system/timeout" },
    { program: "nix-store", answer: { code: null, aborted: true }, code: "system/canceled" },
  ];
  for (const { program, answer, code, message } of cases) {
    const m = machine(t);
    m.faults.answers.set(program, () => answer);
    const c = start(m);
    await t.rejects(c.build(fakeSources("a"), reason), { code, ...(message && { message }) });
    t.equal(m.running(), m.image);
    m.faults.answers.clear();
    t.match(await apply(c, "a"), { generation: 2 }, "and it can be tried again");
  }
});

t.test("a profile that cannot be set is no commit: the previous system runs again", async (t) => {
  const m = machine(t);
  const c = start(m);
  const trial = await c.try(await c.plan(await c.build(fakeSources("a"), reason)));
  m.faults.answers.set("nix-env", () => ({ code: 1, stderr: "error: read-only\n" }));
  await t.rejects(c.commit(trial, healthy), { code: "system/commit-failed" });
  t.equal(m.running(), m.image);
  t.equal(m.profile(), m.image);
});

t.test("a commit that has begun is not taken back", async (t) => {
  const m = machine(t);
  const c = start(m);
  const trial = await c.try(await c.plan(await c.build(fakeSources("a"), reason)));
  m.faults.answers.set("switch boot", () => ({ code: 1, stderr: "ESP is full\n" }));
  await t.rejects(c.commit(trial, healthy), { code: "system/commit-incomplete" });
  await t.rejects(c.rollBack(trial, sick), { code: "system/commit-begun" });
  m.faults.answers.clear();
  t.match(await start(m).recover(), { state: "continued", fault: null });
  t.equal(m.bootDefault(), systemOf(fakeSources("a")));
});

t.test("while one process has a trial, another one is told so", async (t) => {
  const m = machine(t);
  const first = m.start();
  const c = systemClient(first.system);
  const plan = await c.plan(await c.build(fakeSources("a"), reason));
  const second = systemClient(m.start().system);
  await second.build(fakeSources("b"), reason);
  const trial = await second.try(await second.plan(await second.build(fakeSources("b"), reason)));
  await t.rejects(c.try(plan), { code: "system/locked" });
  await t.rejects(second.build(fakeSources("c"), reason), { code: "system/transaction-open" });
  await second.rollBack(trial, sick);
  t.match(await c.try(plan), { activation: "switched" });
});

t.test("a build that is called off says so", async (t) => {
  const m = machine(t);
  const stop = new AbortController();
  m.faults.answers.set("nix-store", ({ signal }) => {
    stop.abort();
    return { code: null, aborted: signal?.aborted ?? false };
  });
  const c = systemClient(m.start().system, { signal: stop.signal });
  await t.rejects(c.build(fakeSources("a"), reason), { code: "system/canceled" });
});

t.test("a reader that stops early ends the work", async (t) => {
  const m = machine(t);
  const { system, io } = m.start();
  for await (const event of system.send({ kind: "build", sources: fakeSources("a"), reason })) {
    if (event.type === "command") break;
  }
  const done = io.executed.length;
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(io.executed.length, done, "nothing runs on behind it");
});

t.test("sources that would leave their directory are refused", async (t) => {
  const m = machine(t);
  const c = start(m);
  const good = fakeSources("a");
  const [file] = good.files;
  const names = ["../escape", "/etc/passwd", "a//b", "a/./b", "", "a\0b"];
  for (const name of names) {
    const files = [...good.files, { path: name, content: "", mode: 0o644 }];
    await t.rejects(
      c.build({ ...good, files }, reason),
      { code: "system/sources-invalid" },
      JSON.stringify(name),
    );
  }
  await t.rejects(c.build({ ...good, digest: "../../etc" }, reason), {
    code: "system/sources-invalid",
  });
  await t.rejects(c.build({ ...good, files: file === undefined ? [] : [file, file] }, reason), {
    code: "system/sources-invalid",
  });
});

t.test("sources edited by hand are kept aside, and written as they should be", async (t) => {
  const m = machine(t);
  const c = start(m);
  await apply(c, "a");
  const place = path.join(m.root, "var/lib/firstlight/sources", fakeSources("a").digest);
  writeFileSync(path.join(place, "configuration.nix"), "edited");
  await c.build(fakeSources("a"), reason);
  t.equal(readFileSync(path.join(`${place}.edited`, "configuration.nix"), "utf8"), "edited");
  t.match(readFileSync(path.join(place, "configuration.nix"), "utf8"), "imports");
});

t.test("without Nix a fault says so", async (t) => {
  const m = machine(t);
  m.faults.answers.set("nix-instantiate", () => {
    throw new Fault("exec/not-found", "nix-instantiate: no such program");
  });
  const c = start(m);
  await t.rejects(c.build(fakeSources("a"), reason), { code: "system/nix-missing" });
});
