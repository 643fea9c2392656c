import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { type SystemClient, systemClient } from "./client.ts";
import { efiText, efiVariable, type FakeLoader } from "./fake-firmware.ts";
import { type FakeMachine, fakeMachine, fakeSources, systemOf } from "./fake-machine.ts";
import { formatEnvironment } from "./loaders/grub-environment.ts";
import type { ChangeReason, Trial, Verdict } from "./system.ts";
import type { RebootPolicy } from "./trial-way.ts";

const reason: ChangeReason = { by: "apply", why: "a test", instanceId: "i-1" };
const healthy: Verdict = { healthy: true, reasons: ["all passed"], passes: 3, ms: 10 };
const sick: Verdict = { healthy: false, reasons: ["http: refused"], passes: 0, ms: 10 };
const before = fakeSources("before");
const after = fakeSources("after with kernel-next");
const judging = { health: { checks: [] } };

interface Teardown {
  teardown(action: () => void): unknown;
}

/** Machines that come back from a trial by a restart, each in its way. */
const machines: Readonly<Record<string, { loader?: FakeLoader; kexec?: boolean }>> = {
  "systemd-boot": { loader: "systemd-boot" },
  grub: { loader: "grub" },
  "extlinux with kexec": { loader: "extlinux", kexec: true },
};

/** A machine that has `before` committed. */
async function machine(
  test: Teardown,
  options: Parameters<typeof fakeMachine>[1] = { loader: "systemd-boot" },
): Promise<FakeMachine> {
  const root = mkdtempSync(path.join(tmpdir(), "firstlight-reboot-"));
  test.teardown(() => rmSync(root, { recursive: true, force: true }));
  const m = fakeMachine(root, { daemon: true, ...options });
  const c = start(m);
  await c.commit(await c.try(await c.plan(await c.build(before, reason))), healthy);
  return m;
}

function start(m: FakeMachine, reboot?: RebootPolicy): SystemClient {
  return systemClient(m.start(reboot === undefined ? {} : { reboot }).system);
}

async function prepare(c: SystemClient, sources = after): Promise<Trial> {
  return c.try(await c.plan(await c.build(sources, reason)), { watchMs: 1_000, judging });
}

/** What may be left of a trial by a restart, beside the journal. */
function leftovers({ root, timers }: FakeMachine): readonly string[] {
  const list = (directory: string) =>
    existsSync(path.join(root, directory)) ? readdirSync(path.join(root, directory)) : [];
  return [
    ...list("nix/var/nix/profiles/system-profiles"),
    ...list("nix/var/nix/gcroots/firstlight"),
    ...list("boot/loader/entries").filter((name) => name.includes("trial")),
    ...list("sys/firmware/efi/efivars").filter((name) => name.includes("OneShot")),
    ...timers.keys(),
  ];
}

for (const [name, options] of Object.entries(machines)) {
  t.test(
    `${name}: a system that needs a reboot is booted once, judged, and committed`,
    async (t) => {
      const m = await machine(t, options);
      const c = start(m);
      const plan = await c.plan(await c.build(after, reason));
      t.match(plan.reboot, { needed: true, why: [/kernel-params/] });
      const trial = await c.try(plan, { watchMs: 1_000, judging });
      t.match(trial, {
        activation: "waits-for-restart",
        message: /takes a restart: kernel-params/,
      });
      t.same([m.running(), m.bootDefault()], [systemOf(before), systemOf(before)]);
      t.match(await c.runs(""), { restart: true });
      await c.restart();
      t.ok(m.restartIfAsked());
      t.same([m.running(), m.bootDefault()], [systemOf(after), systemOf(before)], "only this once");

      const next = start(m);
      const found = await next.recover({ judges: true });
      t.match(found, {
        state: "trial",
        trial: { trial: { activation: "switched", toplevel: systemOf(after) }, judging, reason },
      });
      t.equal(m.timers.size, 1, "the way back is armed in the new boot");
      if (found.trial === null) return;
      await next.commit(found.trial.trial, healthy);
      t.same([m.running(), m.bootDefault()], [systemOf(after), systemOf(after)]);
      t.same(leftovers(m), []);
      t.match(await next.runs(after.digest), { runs: true });
      const byLoader = !name.includes("kexec"); // which says nothing of the loader's entry
      t.match((await next.history()).boot, { proved: byLoader, toplevel: systemOf(after) });
      m.cutPower();
      t.equal(m.running(), systemOf(after));
      const unproved = byLoader ? null : { toplevel: systemOf(after) };
      t.match(await start(m).recover(), { state: "clean", unproved });
    },
  );

  t.test(`${name}: one that is not healthy after its boot goes back by a restart`, async (t) => {
    const m = await machine(t, options);
    await prepare(start(m));
    await start(m).restart();
    m.restartIfAsked();
    const c = start(m);
    const { trial } = await c.recover({ judges: true });
    if (trial === null) return t.fail("expected the trial");
    const back = await c.rollBack(trial.trial, sick);
    t.match(back, { restart: true, reasons: ["http: refused", /takes a restart/] });
    t.match(await c.runs(""), { restart: true });
    t.equal(m.bootDefault(), systemOf(before));
    await c.restart();
    m.restartIfAsked();
    t.equal(m.running(), systemOf(before));
    const found = await start(m).recover({ judges: true });
    t.match(found, {
      state: "rolled-back",
      back: { verdict: sick, judging, toplevel: systemOf(after), rolledBack: { restart: false } },
    });
    t.same(leftovers(m), []);
    t.match(await start(m).runs(before.digest), { runs: true, restart: false });
    t.match(await start(m).history(), { denied: [{ release: after.digest }] });
  });

  t.test(`${name}: one that does not come up is back by itself, and held back`, async (t) => {
    const m = await machine(t, options);
    await prepare(start(m));
    await start(m).restart();
    m.restartIfAsked();
    m.cutPower(); // once, which may have been the power
    t.match(await start(m).recover({ judges: true }), { state: "rolled-back" });
    t.same((await start(m).history()).denied, []);
    await prepare(start(m));
    await start(m).restart();
    m.restartIfAsked();
    m.cutPower(); // as after a panic, before firstlight has begun
    t.equal(m.running(), systemOf(before));
    t.match(await start(m).recover({ judges: true }), {
      state: "rolled-back",
      details: [/came back with .*, and not with the system on trial/, /restarted/, /runs$/],
      back: null,
    });
    t.same(leftovers(m), []);
    await t.rejects(start(m).build(after, { ...reason, by: "boot" }), {
      code: "system/release-denied",
      message: /came back with/,
    });
  });

  t.test(
    `${name}: a trial that waits, or was booted, survives the end of firstlight`,
    async (t) => {
      const m = await machine(t, options);
      await prepare(start(m));
      t.match(await start(m).recover({ judges: true }), {
        state: "trial",
        trial: { trial: { activation: "waits-for-restart" } },
      });
      await start(m).restart();
      m.restartIfAsked();
      await start(m).recover({ judges: true });
      const again = await start(m).recover({ judges: true });
      t.match(again, { state: "trial", trial: { trial: { activation: "switched" } } });
      if (again.trial === null) return;
      await start(m).commit(again.trial.trial, healthy);
      t.equal(m.bootDefault(), systemOf(after));
    },
  );
}

t.test("a menu that is still being written is waited for before its trial goes back", async (t) => {
  for (const loader of ["systemd-boot", "grub"] as const) {
    const m = await dyingWithMenu(t, loader);
    t.equal(m.runningUnits.size, 1, "its unit runs on");
    m.choose(systemOf(before)); // and is through with the menu in this moment
    t.ok(leftovers(m).length > 0, "which has the trial");
    const { state, details } = await start(m).recover({ judges: true });
    t.equal(state, "rolled-back");
    t.notMatch(details.join(), /may still be in the boot menu/);
    t.same([leftovers(m), m.runningUnits.size, m.failedUnits.size], [[], 0, 0]);
    m.cutPower();
    t.equal(m.running(), systemOf(before));
  }
});

/** A machine whose firstlight died as the menu with the trial's entry was being written. */
async function dyingWithMenu(t: Teardown, loader: FakeLoader): Promise<FakeMachine> {
  for (let dieAt = 1; ; dieAt++) {
    const m = await machine(t, { loader });
    const c = start(m);
    const plan = await c.plan(await c.build(after, reason));
    m.faults.answers.set("systemd-run", ({ args }) => {
      const unit = args.find((arg) => arg.startsWith("--unit=firstlight-boot-"))?.slice(7);
      if (unit === undefined) return undefined;
      m.runningUnits.set(unit, { code: 0 });
      return { code: 0 };
    });
    const { system, io } = m.start({ dieAt });
    await systemClient(system)
      .try(plan, { watchMs: 1_000, judging })
      .catch(() => {});
    m.faults.answers.clear();
    if (io.effects.at(-1) === "switch-to-configuration boot") return m;
  }
}

t.test("who cannot judge takes a trial back, before its restart and after it", async (t) => {
  const m = await machine(t);
  await prepare(start(m));
  t.match(await start(m).recover(), { state: "rolled-back" });
  t.same(leftovers(m), []);
  m.cutPower();
  t.equal(m.running(), systemOf(before), "nothing is chosen any more");

  await prepare(start(m));
  await start(m).restart();
  m.restartIfAsked();
  t.match(await start(m).recover(), {
    state: "restart",
    details: [/ended while it was waiting/, /takes a restart/],
  });
  await start(m).restart();
  m.restartIfAsked();
  t.match(await start(m).recover(), { state: "rolled-back" });
  t.equal(m.running(), systemOf(before));
});

t.test("a booted trial that nobody commits is left by its timer", async (t) => {
  const m = await machine(t);
  await prepare(start(m));
  await start(m).restart();
  m.restartIfAsked();
  await start(m).recover({ judges: true });
  m.fireTimers();
  t.equal(m.running(), systemOf(before));
  t.match(await start(m).recover({ judges: true }), { state: "rolled-back" });
  t.same(leftovers(m), []);
  t.same((await start(m).history()).denied, [], "nobody judged it: nobody is blamed");
});

t.test("a machine that keeps coming back with the trial is activated back", async (t) => {
  const m = await machine(t);
  await prepare(start(m));
  const { trial } = await bootTrial(m);
  let c = start(m);
  await c.rollBack(trial, sick);
  for (let round = 0; round < 2; round++) {
    await c.restart();
    m.bootNext(systemOf(after));
    m.restartIfAsked();
    c = start(m);
    const { state } = await c.recover({ judges: true });
    t.equal(state, round === 0 ? "restart" : "rolled-back");
  }
  t.same([m.running(), m.bootDefault()], [systemOf(before), systemOf(before)]);
});

async function bootTrial(m: FakeMachine) {
  await start(m).restart();
  m.restartIfAsked();
  const { trial } = await start(m).recover({ judges: true });
  if (trial === null) throw new Error("expected the trial");
  return trial;
}

t.test("a kernel that runs already needs no restart, another init interface does", async (t) => {
  const m = await machine(t);
  const c = start(m);
  t.match(await prepare(c, fakeSources("plain")), { activation: "switched" });
  await c.recover();
  m.faults.answers.set("switch dry-activate", () => ({ code: 100 }));
  const closure = await c.build(fakeSources("other init"), reason);
  m.write(`${m.running()}/init-interface-version`, "systemd 2\n");
  m.write(`${closure.toplevel}/init-interface-version`, "systemd 3\n");
  const plan = await c.plan(closure);
  const why = ["its init interface is systemd 3, the running system's systemd 2"];
  t.same(plan.reboot, { needed: true, why });
  t.same(plan.warnings, []);
  t.match(await c.try(plan), { activation: "waits-for-restart" });
});

t.test("the plan says how it would be tried, and that is what runs", async (t) => {
  const m = await machine(t);
  const argvs: (readonly string[])[] = [];
  const c = systemClient(m.start().system, {
    onEvent: (event) => event.type === "command" && argvs.push(event.argv),
  });
  const plan = await c.plan(await c.build(after, reason));
  argvs.length = 0;
  await c.try(plan);
  await c.restart();
  m.restartIfAsked();
  const { trial } = await c.recover({ judges: true });
  if (trial === null) return;
  await c.commit(trial.trial, healthy);
  const reading = ["show", "is-active"];
  const acting = argvs.filter(
    ([file, verb = ""]) => file !== "systemctl" || !reading.includes(verb),
  );
  const own = [
    ["bootctl", "set-oneshot", "nixos-firstlight_trial-generation-1.conf"],
    ["systemctl", "stop", "firstlight-trial-deadline.timer"],
  ];
  t.same(
    acting.filter((argv) => !own.some((line) => argv.join().endsWith(line.join()))),
    plan.commands,
  );
});

const obstacles: readonly (readonly [
  name: string,
  options: Parameters<typeof fakeMachine>[1],
  policy: RebootPolicy | undefined,
  code: string,
  message: RegExp,
])[] = [
  [
    "the settings refuse",
    { loader: "grub" },
    "refuse",
    "system/reboot-refused",
    /allow no reboot.*kernel-params/,
  ],
  [
    "U-Boot without kexec",
    { loader: "extlinux" },
    undefined,
    "system/reboot-impossible",
    /kexec: this kernel cannot.*extlinux: .*one default/,
  ],
  [
    "kexec is asked for and is not there",
    { loader: "grub" },
    "kexec",
    "system/reboot-impossible",
    /(^|: )kexec: this kernel cannot[^;]*$/,
  ],
  ["nobody knows the boot loader", {}, undefined, "system/reboot-impossible", /kexec/],
];

for (const [name, options, policy, code, message] of obstacles) {
  t.test(
    `no restart where ${name}: said in the plan, refused before anything is changed`,
    async (t) => {
      const m = await machine(t, options);
      const c = start(m, policy);
      const plan = await c.plan(await c.build(after, reason));
      t.match(plan.warnings, [{ kind: "reboot", message }]);
      t.same(plan.commands, []);
      await t.rejects(c.try(plan), { code, message });
      t.match(await c.recover(), { state: "abandoned" });
      t.same([m.running(), m.bootDefault()], [systemOf(before), systemOf(before)]);
      t.same(leftovers(m), []);

      const person = start(m, "skip");
      const trial = await prepare(person);
      t.match(trial, { activation: "switched" }, "a person may have it without a boot");
      await person.commit(trial, healthy);
      t.match((await person.history()).boot, { proved: false });
    },
  );
}

const failures: Readonly<Record<string, (m: FakeMachine) => void>> = {
  "the installer writes no entry": (m) => {
    m.faults.answers.set("switch boot", () => ({ code: 0 }));
  },
  "the installer fails": (m) => {
    let failing = 1;
    m.faults.answers.set("switch boot", () =>
      failing-- > 0 ? { code: 1, stderr: "No space left on device" } : undefined,
    );
  },
  "the firmware takes no variable": (m) => {
    m.faults.answers.set("bootctl", () => ({ code: 1, stderr: "Read-only file system" }));
  },
  "the variable is not kept": (m) => {
    m.faults.answers.set("bootctl", () => ({ code: 0 }));
  },
};

for (const [name, fail] of Object.entries(failures)) {
  t.test(`a trial that cannot be chosen because ${name} is taken back at once`, async (t) => {
    const m = await machine(t);
    fail(m);
    const c = start(m);
    await t.rejects(prepare(c), { code: "system/boot-once-failed" });
    m.faults.answers.clear();
    t.match(await start(m).recover(), { state: "clean" });
    t.same(leftovers(m), []);
    m.cutPower();
    t.equal(m.running(), systemOf(before));
    await prepare(start(m));
    await start(m).commit((await bootTrial(m)).trial, healthy);
    t.equal(m.bootDefault(), systemOf(after));
  });
}

/** A machine whose system from before was booted, and was well. */
async function provedMachine(...args: Parameters<typeof machine>): Promise<FakeMachine> {
  const m = await machine(...args);
  m.cutPower();
  await start(m).recover({ judges: true });
  await start(m).prove(healthy);
  return m;
}

/** What a person arms for the next boot, each with the tool of its loader. */
const arming: Readonly<Record<"systemd-boot" | "grub", (m: FakeMachine) => void>> = {
  "systemd-boot": (m) =>
    m.write(efiVariable("LoaderEntryOneShot"), `${efiText("nixos-generation-1.conf")}`),
  grub: (m) => {
    const entry = "NixOS - All configurations>NixOS - Configuration 1 (2026-01-01 - 26.05)";
    m.write("/boot/grub/grubenv", formatEnvironment(new Map([["next_entry", entry]])) ?? "");
  },
};

for (const loader of ["systemd-boot", "grub"] as const) {
  t.test(`${loader}: what somebody else armed for one boot outlives a trial`, async (t) => {
    const armed = arming[loader];
    const machine = () => provedMachine(t, { loader });
    const booted = async (verdict: Verdict) => {
      const m = await machine();
      await prepare(start(m));
      await start(m).restart();
      m.restartIfAsked();
      const c = start(m);
      const { trial } = await c.recover({ judges: true });
      if (trial === null) throw new Error("expected the trial");
      armed(m);
      if (verdict.healthy) await c.commit(trial.trial, verdict);
      else await c.rollBack(trial.trial, verdict);
      return m;
    };
    const waiting = async () => {
      const m = await machine();
      await prepare(start(m));
      armed(m);
      t.match(await start(m).recover(), { state: "rolled-back" });
      return m;
    };
    const unprepared = async () => {
      const m = await machine();
      armed(m);
      m.faults.answers.set("switch boot", () => ({ code: 1, stderr: "no space left" }));
      await t.rejects(prepare(start(m)));
      m.faults.answers.clear();
      return m;
    };
    const ways = {
      "not healthy": () => booted(sick),
      committed: () => booted(healthy),
      ...{ waiting, unprepared },
    };
    for (const [way, goes] of Object.entries(ways)) {
      const m = await goes();
      m.cutPower();
      t.equal(m.running(), m.image, way);
      t.match(await start(m).recover(), { fault: null }, way);
      m.cutPower();
      const now = way === "committed" ? after : before;
      t.equal(m.running(), systemOf(now), `${way}: for one boot`);
    }
  });

  t.test(`${loader}: a choice of ours goes, also where whoever made it was killed`, async (t) => {
    const m = await machine(t, { loader });
    let isFull = false;
    m.faults.full = (line) => {
      isFull ||= line.includes('"step":"boot-once"') && line.includes('"kind":"result"');
      return isFull;
    };
    await t.rejects(prepare(start(m)));
    m.faults.full = () => false;
    t.match(await start(m).recover(), { state: "rolled-back" });
    m.cutPower();
    t.equal(m.running(), systemOf(before));
  });
}

t.test("a machine that does not restart says so, and waits on", async (t) => {
  const m = await machine(t);
  const c = start(m);
  await t.rejects(c.restart(), { code: "system/no-trial" });
  await prepare(c);
  m.faults.answers.set("systemctl", () => ({ code: 1, stderr: "Operation inhibited by backup" }));
  await t.rejects(c.restart(), { code: "system/restart-failed", message: /inhibited/ });
  m.faults.answers.clear();
  t.match(await start(m).recover({ judges: true }), { state: "trial" });
});
