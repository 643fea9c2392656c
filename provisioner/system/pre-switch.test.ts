import { rmSync } from "node:fs";
import t from "tap";
import { type SystemClient, systemClient } from "./client.ts";
import {
  type FakeMachine,
  fakeMachine,
  fakeSources,
  type StartOptions,
  systemOf,
} from "./fake-machine.ts";
import { machineDirectory } from "./machine-directory.ts";
import type { ChangeReason, Plan, Verdict } from "./system.ts";

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 10 };
const sick: Verdict = { healthy: false, reasons: ["refused"], passes: 0, ms: 10 };
const before = fakeSources("before");
const after = fakeSources("after");

interface Teardown {
  teardown(action: () => void): unknown;
}

/** A machine that runs {@link before}. */
async function machine(
  t: Teardown,
  options: Parameters<typeof fakeMachine>[1] = { loader: "systemd-boot" },
): Promise<FakeMachine> {
  const root = machineDirectory("pre-switch");
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const m = fakeMachine(root, options);
  const c = start(m);
  await c.commit(await c.try(await planOf(c, before)), healthy);
  return m;
}

function start(m: FakeMachine, options: StartOptions = {}): SystemClient {
  return systemClient(m.start(options).system);
}

async function planOf(c: SystemClient, sources = after): Promise<Plan> {
  return c.plan(await c.build(sources, reason));
}

/** Lets the new system have another D-Bus than the running one, and its own check say so. */
async function inhibit(m: FakeMachine): Promise<void> {
  const closure = await start(m).build(after, reason);
  const inhibitors = (dbus: string, more: object) =>
    JSON.stringify({ "dbus-implementation": dbus, systemd: "258", ...more });
  m.write(`${m.running()}/switch-inhibitors`, inhibitors("dbus", { old: "1" }));
  m.write(`${closure.toplevel}/switch-inhibitors`, inhibitors("broker", { new: "1" }));
  const stdout = "Checking switch inhibitors...\nPre-switch check 'switchInhibitors' failed\n";
  m.faults.answers.set("switch check", ({ file }) =>
    file === closure.toplevel && m.running() !== file
      ? { code: 1, stdout, stderr: "Pre-switch checks failed\n" }
      : undefined,
  );
}

/** What a plan warns of, beside who evaluated it. */
function warnings(plan: Plan) {
  return plan.warnings.filter(({ kind }) => kind !== "evaluation");
}

const why = ["NixOS refuses to switch: dbus-implementation: dbus -> broker"];

t.test("what NixOS refuses to switch to is tried by a restart, and nobody is blamed", async (t) => {
  const m = await machine(t);
  await inhibit(m);
  const c = start(m);
  const plan = await planOf(c);
  t.same(plan.reboot, { needed: true, why, switchRefused: true });
  t.same(warnings(plan), []);
  const trial = await c.try(plan);
  t.match(trial, { activation: "waits-for-restart", message: /takes a restart: NixOS refuses/ });
  t.equal(m.running(), systemOf(before), "nothing was switched to");
  await c.restart();
  m.restartIfAsked();
  const found = await start(m).recover({ judges: true });
  if (found.trial === null) return t.fail("expected the trial");
  const next = start(m);
  await next.recover({ judges: true });
  await next.commit(found.trial.trial, healthy);
  t.strictSame([m.running(), m.bootDefault()], [systemOf(after), systemOf(after)]);
  t.same((await next.history()).denied, []);
});

const obstacles: readonly (readonly [
  string,
  Parameters<typeof fakeMachine>[1],
  StartOptions,
  RegExp,
])[] = [
  [
    "the settings refuse one",
    { loader: "grub" },
    { reboot: "refuse" },
    /allow no reboot, and NixOS/,
  ],
  [
    "the settings pass over it",
    { loader: "grub" },
    { reboot: "skip" },
    /allow only changes without/,
  ],
  ["no loader can boot once", { loader: "extlinux" }, {}, /extlinux: .*one default/],
  ["nobody restarts the machine", { systemd: false }, {}, /systemd does not manage/],
];

for (const [name, options, settings, message] of obstacles) {
  t.test(
    `no restart where ${name}: refused with its own code, and nothing is changed`,
    async (t) => {
      const m = await machine(t, options);
      await inhibit(m);
      const c = start(m, settings);
      const plan = await planOf(c);
      t.match(warnings(plan), [{ kind: "reboot", message }]);
      t.same(plan.commands, []);
      await t.rejects(c.try(plan), { code: "system/switch-inhibited", message });
      t.match(await c.recover(), { state: "abandoned" });
      t.strictSame([m.running(), m.bootDefault()], [systemOf(before), systemOf(before)]);
      const { trials, denied } = await c.history();
      t.strictSame([trials.length, denied.length], [1, 0], "no trial began, and nobody is blamed");
    },
  );
}

t.test(
  "a check of the system's own that fails is its word: nothing is done, it is blamed",
  async (t) => {
    const m = await machine(t);
    await inhibit(m);
    const stdout =
      "the disk is not there\nPre-switch check 'disk' failed\nPre-switch checks failed\n";
    let switched = 0;
    m.faults.answers.set("switch check", () => ({ code: 1, stdout }));
    m.faults.answers.set("switch test", () => {
      switched += 1;
      return undefined;
    });
    const c = start(m);
    const plan = await planOf(c);
    t.match(plan.reboot, { needed: false }, "checks before that of the inhibitors hide it");
    const refuse = "its own checks before a switch refuse it now: disk";
    t.same(warnings(plan), [{ kind: "check", message: refuse }]);
    const trial = await c.try(plan);
    t.match(trial, { activation: "refused", exitCode: 1 });
    t.match(trial.message, /nothing was changed \(exit code 1\): disk\nthe disk is not there\n/);
    t.equal(m.timers.size, 0, "no way back is needed");
    await t.rejects(c.commit(trial, healthy), { code: "system/not-healthy" });
    await c.rollBack(trial, sick);
    t.equal(switched, 0);
    t.equal(m.running(), systemOf(before));
    t.match((await c.history()).denied, [{ release: after.digest }]);
    m.faults.answers.clear();
    t.match(await c.try(await planOf(c)), { activation: "switched" }, "a person tries it again");
  },
);

const unasked: Readonly<Record<string, object>> = {
  "NixOS 20.09": {
    code: 1,
    stderr:
      "Usage: /nix/store/0-system/bin/switch-to-configuration [switch|boot|test]\n\nswitch: …\n",
  },
  "the first one in Rust": {
    code: 1,
    stderr: "Usage: .switch-to-configuration-wrapped [switch|boot|test|dry-activate]\nswitch: …\n",
  },
  "another switch under way": { code: 11, stderr: "Could not acquire lock\n" },
};

for (const [name, answer] of Object.entries(unasked)) {
  t.test(`${name} answers no such question, and holds nothing back`, async (t) => {
    const m = await machine(t);
    await inhibit(m);
    m.faults.answers.set("switch check", () => answer);
    const c = start(m);
    const plan = await planOf(c);
    t.match(plan.reboot, { needed: false });
    t.same(warnings(plan), []);
    t.match(await c.try(plan), { activation: "switched" });
  });
}

t.test("inhibitors that nobody can read are believed by the name of their check", async (t) => {
  const m = await machine(t);
  await inhibit(m);
  m.write(`${m.running()}/switch-inhibitors`, "/nix/store/0-systemd\n/nix/store/0-dbus");
  const c = start(m);
  t.same((await planOf(c)).reboot.why, ["NixOS refuses to switch: its inhibitors are others"]);
});

/** What is no word of a check's, though it ends as if one had failed. */
const unspoken: Readonly<Record<string, readonly [object, RegExp]>> = {
  "a usage that knows the question": [
    {
      code: 1,
      stderr: "Usage: x/bin/switch-to-configuration [check|switch|boot|test|dry-activate]\n",
    },
    /exit code 1, and none/,
  ],
  "a script that could not be run": [
    { code: 1, stderr: "Pre-switch checks failed\n" },
    /exit code 1, and none/,
  ],
  "a variable that is missing": [
    { code: 1, stderr: "Error: missing required environment variable LOCALE_ARCHIVE\n" },
    /exit code 1, and none/,
  ],
  "no bus": [{ code: 1, stderr: "Failed to connect to bus: Connection refused\n" }, /none of them/],
  "a process that was killed": [{ code: null, signal: "SIGKILL" }, /they were killed$/],
  "a deadline that was over": [
    { code: null, timedOut: true, stdout: "Pre-switch check 'slow'" },
    /within their deadline$/,
  ],
};

for (const [name, [answer, message]] of Object.entries(unspoken)) {
  t.test(`${name} refuses nothing: it is told, and the activation says how it is`, async (t) => {
    const m = await machine(t);
    m.faults.answers.set("switch check", () => answer);
    const c = start(m);
    const plan = await planOf(c);
    t.match(warnings(plan), [{ kind: "check", message }]);
    const trial = await c.try(plan);
    t.match(trial, { activation: "switched" });
    await c.commit(trial, healthy);
    t.same((await c.history()).denied, []);
  });
}

t.test(
  "checks that cannot be asked twice blame nobody, and those that then speak do",
  async (t) => {
    const unable = { code: 1, stderr: "Pre-switch checks failed\n" };
    const named = { ...unable, stderr: `Pre-switch check 'disk' failed\n${unable.stderr}` };
    const m = await machine(t, { systemd: false });
    m.faults.answers.set("switch check", () => unable);
    m.faults.answers.set("switch test", () => unable);
    const c = start(m);
    await t.rejects(c.try(await planOf(c)), { code: "system/activation-failed" });
    t.same((await c.history()).denied, []);
    m.faults.answers.set("switch test", () => named);
    const trial = await c.try(await planOf(c));
    t.match(trial, { activation: "refused", message: /'disk' failed/ });
    m.faults.answers.clear();
    await c.rollBack(trial, sick);
    t.match((await c.history()).denied, [{ release: after.digest }]);
  },
);

t.test("an activation that systemd could not even start blames nobody", async (t) => {
  const m = await machine(t);
  const c = start(m);
  const plan = await planOf(c);
  m.faults.answers.set("systemd-run", ({ args }) =>
    args.some((arg) => arg.startsWith("--unit=firstlight-switch-"))
      ? { code: 1, stderr: "Failed to start transient service unit: Connection timed out\n" }
      : undefined,
  );
  await t.rejects(c.try(plan), { code: "system/activation-failed", message: /timed out/ });
  t.strictSame([m.running(), m.bootDefault()], [systemOf(before), systemOf(before)]);
  t.equal(m.timers.size, 0);
  const { trials, denied } = await c.history();
  t.match([trials.at(-1), denied], [{ result: "rolled-back" }, []]);
});

t.test("nor does one whose unit had no process to begin with", async (t) => {
  const m = await machine(t);
  const c = start(m);
  const plan = await planOf(c);
  let failed = false;
  m.faults.answers.set("systemd-run", ({ args }) => {
    if (!args.some((arg) => arg.startsWith("--unit=firstlight-switch-"))) return undefined;
    failed = true;
    return { code: 1, stderr: "Job for firstlight-switch.service failed.\n" };
  });
  m.faults.answers.set("systemctl", ({ args: [verb, ...rest] }) => {
    if (!rest.at(-1)?.startsWith("firstlight-switch-")) return undefined;
    if (verb === "reset-failed") failed = false;
    const state = failed ? "failed" : "inactive";
    // As systemd has it where the kernel gives it no process (EAGAIN, ENOMEM).
    return { stdout: `ActiveState=${state}\nResult=resources\nExecMainStatus=0\n` };
  });
  await t.rejects(c.try(plan), { code: "system/activation-failed", message: /failed/ });
  t.notOk(failed, "nothing of it is left");
  t.strictSame([m.running(), m.bootDefault()], [systemOf(before), systemOf(before)]);
  const { trials, denied } = await c.history();
  t.match([trials.at(-1), denied], [{ result: "rolled-back" }, []]);
});

t.test("a plan that knew of no restart is not tried where NixOS wants one now", async (t) => {
  const m = await machine(t);
  const c = start(m);
  const plan = await planOf(c);
  await inhibit(m);
  await t.rejects(c.try(plan), { code: "system/plan-stale", message: /NixOS refuses to switch/ });
  t.equal(m.running(), systemOf(before));
});

t.test(
  "whoever writes the boot menu switches to nothing: no check of its own is asked",
  async (t) => {
    const m = await machine(t);
    const { io, system } = m.start();
    const c = systemClient(system);
    await c.commit(await c.try(await planOf(c)), healthy);
    const entry = io.executed.filter(({ args }) => args.at(-1) === "boot");
    t.equal(entry.length, 1);
    t.ok(entry.every(({ args }) => args.includes("--setenv=NIXOS_NO_CHECK=1")));
  },
);

for (const systemd of [true, false]) {
  const where = systemd ? "under" : "without";
  t.test(`no check of the system from before stops the way back, ${where} systemd`, async (t) => {
    const m = await machine(t, { systemd });
    const { io, system } = m.start();
    const c = systemClient(system);
    await c.rollBack(await c.try(await planOf(c)), sick);
    const back = io.executed.filter(({ file, args }) =>
      [file, ...args].includes(`${systemOf(before)}/bin/switch-to-configuration`),
    );
    t.equal(back.length, systemd ? 2 : 1, "the timer of the way back, and the way itself");
    for (const { args, env } of back) {
      t.ok(args.includes("--setenv=NIXOS_NO_CHECK=1") || env?.["NIXOS_NO_CHECK"] === "1");
    }
    const forward = io.executed
      .filter(({ args }) => args.at(-1) === "test")
      .map(({ args }) => args);
    t.notOk(
      forward.some(
        (args) => args.join().includes(systemOf(after)) && args.join().includes("NO_CHECK"),
      ),
      "those of the new one are asked",
    );
  });
}
