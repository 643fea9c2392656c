import t from "tap";
import { type ExecResult, readBootId } from "#core/io.ts";
import { createLog, type LogRecord } from "#core/log.ts";
import {
  arm,
  commit,
  fresh,
  good,
  healthy,
  marks,
  reason,
  start,
  unprovedMachine,
} from "#provisioner/system/fake-first-boot.ts";
import { type FakeMachine, fakeSources } from "#provisioner/system/fake-machine.ts";
import { hostProcesses } from "#provisioner/system/lock.ts";
import type { Flags } from "./command.ts";
import { command } from "./commands/first-boot.ts";

/** Runs the command as a unit would; its exit code, what it logged and whether it restarts the machine. */
async function run(m: FakeMachine, flags: Flags = {}) {
  const { io } = m.start({ beside: true });
  const records: LogRecord[] = [];
  const code = await command.run({
    ...{ args: [], flags, json: false, io },
    log: createLog(io.clock, (record) => records.push(record)),
    out: {
      data: () => {},
      talk: () => {},
      findings: () => {},
      live: undefined,
      page: { columns: 80, isUnicode: true },
    },
    signal: new AbortController().signal,
  });
  const restarts = io.executed.some(({ args }) => args.includes("reboot"));
  return { code, event: records.at(-1)?.event, restarts };
}

t.test("where it is no first boot nothing is done", async (t) => {
  const m = await unprovedMachine(t, "grub");
  const nothing = { code: 0, event: undefined, restarts: false };
  t.same(await run(m, { leave: "any" }), nothing);
  await t.rejects(run(m, { leave: "now" }), { code: "cli/usage" });
});

t.test("a first boot is armed, and left by a restart where one is allowed", async (t) => {
  const m = await unprovedMachine(t, "grub");
  m.cutPower();
  t.same(await run(m), { code: 0, event: "first-boot.armed", restarts: false });
  t.same(await run(m, { leave: "restart" }), { code: 0, event: "first-boot.left", restarts: true });
  m.write("/etc/firstlight/settings.json", '{ "trial": { "reboot": "refuse" } }');
  t.same(await run(m, { leave: "restart" }), {
    ...{ code: 1, event: "first-boot.armed", restarts: false },
  });
});

t.test("settings that cannot be read keep nobody in the system that they belong to", async (t) => {
  const m = await unprovedMachine(t, "grub");
  m.cutPower();
  m.write("/etc/firstlight/settings.json", "{");
  t.same(await run(m, { leave: "restart" }), { code: 0, event: "first-boot.left", restarts: true });
});

t.test(
  "where no restart leads back the system from before is activated in its place",
  async (t) => {
    const m = await unprovedMachine(t, "extlinux");
    m.cutPower();
    t.match(await run(m), { code: 0, event: "first-boot.unarmed" });
    t.match(await run(m, { leave: "restart" }), { code: 1, restarts: false });
    m.write("/var/lib/firstlight/dry-machine.json", "{}"); // its Nix is the test's own
    m.faults.answers.set("systemctl", () => ({})); // all is well
    t.match(await run(m, { leave: "any" }), { restarts: false });
    t.strictSame([m.running(), m.profile()], [good, good]);
    t.same(marks(m), []);
    t.equal(await arm(m), undefined);
    t.match(await start(m).recover(), { state: "clean" });
  },
);

t.test(
  "a loader that does not do as it was told is asked twice, and no restart follows",
  async (t) => {
    const m = await unprovedMachine(t, "grub");
    const left = { code: 0, event: "first-boot.left", restarts: true };
    for (let boot = 1; boot <= 3; boot++) {
      m.bootNext(fresh);
      m.cutPower();
      const found = await run(m, { leave: "restart" });
      t.same(found, boot < 3 ? left : { code: 1, event: "first-boot.stuck", restarts: false });
    }
  },
);

t.test("nobody is restarted out of the shell that they asked for", async (t) => {
  const m = await unprovedMachine(t, "grub");
  m.cutPower();
  m.write("/proc/cmdline", "quiet systemd.unit=emergency.target\n");
  t.same(await run(m, { leave: "restart" }), { code: 0, event: undefined, restarts: false });
});

t.test("nor out of one that they asked for when the machine was up", async (t) => {
  const m = await unprovedMachine(t, "grub");
  m.cutPower();
  await run(m);
  const reached = "show sysinit.target --property=ActiveEnterTimestampMonotonic";
  const began = "show --property=UserspaceTimestampMonotonic";
  const up = { stdout: "ActiveEnterTimestampMonotonic=2471098\n" };
  const userspace = { stdout: "UserspaceTimestampMonotonic=1204331\n" };
  const answers = new Map([
    [reached, up],
    [began, userspace],
  ]);
  m.faults.answers.set("systemctl", ({ args }) => answers.get(args.join(" ")));
  const stays = { code: 0, event: "first-boot.for-person", restarts: false };
  t.same(await run(m, { leave: "restart" }), stays);
  t.equal(marks(m).length, 4, "and whatever ends this boot still leads back");
  const left = { code: 0, event: "first-boot.left", restarts: true };
  const others: Readonly<Record<string, readonly Partial<ExecResult>[]>> = {
    "it never was up": [{ stdout: "ActiveEnterTimestampMonotonic=0\n" }, userspace],
    "the initrd was": [up, { stdout: "UserspaceTimestampMonotonic=2471099\n" }],
    "the one is not known": [{ code: 1 }, userspace],
    "the other is not known": [up, { code: 1 }],
    "the other is no time": [up, { stdout: "UserspaceTimestampMonotonic=\n" }],
  };
  for (const [what, [target = {}, manager = {}]] of Object.entries(others)) {
    const n = await unprovedMachine(t, "grub");
    n.cutPower();
    await run(n);
    const said = new Map([
      [reached, target],
      [began, manager],
    ]);
    n.faults.answers.set("systemctl", ({ args }) => said.get(args.join(" ")));
    t.same(await run(n, { leave: "restart" }), left, what);
  }
});

t.test("a deadline that cannot begin anew is said, and the boot goes on", async (t) => {
  const m = await unprovedMachine(t, "grub");
  m.cutPower();
  await run(m);
  isJudging(m, readBootId(m.start().io.files));
  m.faults.answers.set("systemctl", () => ({ code: 1, stderr: "Connection timed out\n" }));
  await t.rejects(run(m, { leave: "any" }), {
    code: "system/way-back-failed",
    message: "firstlight-first-boot-deadline.timer: Connection timed out",
  });
  t.equal(m.running(), fresh, "nothing else is done");
  t.equal(marks(m).length, 4);
  m.faults.answers.clear();
  const c = start(m);
  await c.recover({ judges: true });
  t.match(await c.prove(healthy), { proved: true }, "who is at work comes to its end");
  t.same(marks(m), []);
  m.cutPower();
  t.equal(m.running(), fresh);
});

t.test(
  "a first boot in which firstlight came to an end is not left, whatever the end",
  async (t) => {
    const m = await unprovedMachine(t, "grub");
    m.cutPower();
    await run(m);
    await start(m).recover({ judges: true });
    const result = (...names: string[]) =>
      JSON.stringify({
        ...{ v: 1, outcome: "failed", message: "m", fault: null, exitCode: 1, findings: [] },
        stages: names.map((stage) => ({ stage, ms: 1 })),
      });
    m.write("/run/firstlight/result.json", result());
    t.match(await run(m, { leave: "restart" }), { event: "first-boot.left", restarts: true });
    m.write("/run/firstlight/result.json", result("recover"));
    t.match(await run(m, { leave: "restart" }), { event: "first-boot.left", restarts: true });
    m.write("/run/firstlight/result.json", result("recover", "discover"));
    t.same(await run(m, { leave: "any" }), { code: 0, event: "first-boot.ended", restarts: false });
    t.same(marks(m), []);
    m.cutPower();
    t.equal(m.running(), fresh);
  },
);

/** Says that a process is on the way of a boot; its process lives. */
function isJudging(m: FakeMachine, bootId: string, process = hostProcesses().self()): void {
  const status = { v: 1, state: "running", stage: "prove", bootId, process, at: "" };
  m.write("/run/firstlight/status.json", JSON.stringify(status));
}

t.test("a first boot in which firstlight is at work is looked at again later", async (t) => {
  for (const loader of ["grub", "extlinux"] as const) {
    const m = await unprovedMachine(t, loader);
    m.cutPower();
    await run(m);
    const renewed: string[] = [];
    m.faults.answers.set("systemctl", ({ args }) => {
      renewed.push(args.join(" "));
      return {};
    });
    isJudging(m, readBootId(m.start().io.files));
    t.same(await run(m, { leave: "any" }), {
      ...{ code: 0, event: "first-boot.under-way", restarts: false },
    });
    t.same(renewed, ["restart firstlight-first-boot-deadline.timer"]);
    t.equal(m.running(), fresh);
    t.equal(marks(m).length, 4);
    m.faults.answers.set("systemctl", () => ({ code: 1, stderr: "no such unit" }));
    await t.rejects(run(m, { leave: "any" }), { code: "system/way-back-failed" });
  }
  const m = await unprovedMachine(t, "grub");
  m.cutPower();
  const now = readBootId(m.start().io.files);
  const left = { code: 0, event: "first-boot.left", restarts: true };
  isJudging(m, now);
  t.same(await run(m, { leave: "restart" }), left, "nobody is at work in emergency mode");
  isJudging(m, "another");
  t.same(await run(m, { leave: "any" }), left, "of another boot");
});

t.test("a process that has died is not at work", async (t) => {
  const m = await unprovedMachine(t, "grub");
  m.cutPower();
  isJudging(m, readBootId(m.start().io.files), { pid: process.pid, started: "1" });
  t.match(await run(m, { leave: "any" }), { event: "first-boot.left", restarts: true });
});

const byHand = "/nix/store/99999999999999999999999999999999-nixos-system-by-hand";
/** How a person repairs a first boot: what runs, the boot default, or both are another system. */
const repairs: Readonly<Record<string, (m: FakeMachine) => void>> = {
  test: (m) => m.link(byHand, "/run/current-system"),
  boot: (m) => m.choose(byHand),
  switch(m) {
    m.choose(byHand);
    m.link(byHand, "/run/current-system");
  },
};

t.test("a first boot that a person has repaired is not left", async (t) => {
  for (const loader of ["grub", "extlinux"] as const)
    for (const [how, repair] of Object.entries(repairs)) {
      const m = await unprovedMachine(t, loader);
      m.cutPower();
      await run(m);
      m.write(`${byHand}/bin/switch-to-configuration`, byHand);
      repair(m);
      const runs = m.running();
      t.same(
        await run(m, { leave: "any" }),
        { code: 0, event: "first-boot.ended", restarts: false },
        `${loader}, ${how}`,
      );
      t.same(marks(m), []);
      t.equal(m.running(), runs);
      const next = m.bootDefault();
      m.cutPower();
      t.equal(m.running(), next, "nor does the loader lead back");
    }
});

t.test("a commit that the power cut off is no repair of a person's", async (t) => {
  for (const leave of ["restart", "any"]) {
    const m = await unprovedMachine(t, "grub");
    m.faults.answers.set("switch boot", () => ({ code: 1 }));
    await t.rejects(commit(start(m), fakeSources("c")), { code: "system/commit-incomplete" });
    m.faults.answers.clear();
    m.cutPower();
    t.equal(m.running(), fresh, "the loader knows of no other yet, and it does not come up");
    t.same(await run(m), { code: 0, event: "first-boot.armed", restarts: false });
    t.same(await run(m, { leave }), { code: 0, event: "first-boot.left", restarts: true }, leave);
    m.cutPower();
    t.equal(m.running(), good);
  }
});

t.test("nor is one of what was tried by a restart, which is marked nowhere", async (t) => {
  for (const leave of ["restart", "any"]) {
    const m = await unprovedMachine(t, "grub");
    const c = start(m);
    await c.try(await c.plan(await c.build(fakeSources("c with kernel-one"), reason)));
    await c.restart();
    m.restartIfAsked();
    m.faults.answers.set("switch boot", () => ({ code: 1 }));
    const { trial } = await start(m).recover({ judges: true });
    if (trial === null) return t.fail("expected the trial");
    await t.rejects(start(m).commit(trial.trial, healthy), { code: "system/commit-incomplete" });
    m.faults.answers.clear();
    m.cutPower();
    t.equal(m.running(), fresh, "the loader knows of no other yet, and it does not come up");
    t.same(await run(m), { code: 0, event: "first-boot.armed", restarts: false });
    t.same(await run(m, { leave }), { code: 0, event: "first-boot.left", restarts: true }, leave);
    m.cutPower();
    t.equal(m.running(), good);
  }
});

t.test("nor is a way back that the power cut off, wherever", async (t) => {
  let again = 0;
  for (let dieAt = 1, isDone = false; !isDone; dieAt++) {
    const m = await unprovedMachine(t, "grub");
    m.cutPower();
    await run(m);
    m.cutPower(); // it hung, and good was booted in its place
    isDone = await start(m, dieAt)
      .recover({ judges: true })
      .then(
        () => true,
        () => false,
      );
    m.cutPower();
    if (m.running() === fresh) {
      again += 1;
      t.match(await run(m), { event: "first-boot.armed" }, `cut at ${dieAt}`);
      m.cutPower(); // it hangs once more
    }
    t.equal(m.running(), good, `cut at ${dieAt}`);
    await start(m).recover({ judges: true });
    t.strictSame([m.profile(), m.bootDefault(), marks(m)], [good, good, []], `cut at ${dieAt}`);
  }
  t.ok(again > 5, `${again} cuts before the loader knew`);
});

t.test("where no restart leads back the system that was proved is gone back to", async (t) => {
  const m = await unprovedMachine(t, "extlinux");
  await commit(start(m), fakeSources("c")); // before its first boot
  m.write("/var/lib/firstlight/dry-machine.json", "{}");
  m.write("/etc/firstlight/settings.json", "{"); // what is left may be what is wrong
  m.faults.answers.set("systemctl", () => ({}));
  m.cutPower();
  t.match(await run(m, { leave: "any" }), { code: 0 });
  t.strictSame([m.running(), m.profile()], [good, good]);
  t.same(marks(m), []);
});
