import t from "tap";
import { createLog, type LogRecord } from "#core/log.ts";
import {
  arm,
  fresh,
  good,
  marks,
  start,
  unprovedMachine,
} from "#provisioner/system/fake-first-boot.ts";
import type { FakeMachine } from "#provisioner/system/fake-machine.ts";
import type { Flags } from "./command.ts";
import { command } from "./commands/first-boot.ts";

/** Runs the command as a unit would; its exit code, what it logged and whether it restarts the machine. */
async function run(m: FakeMachine, flags: Flags = {}) {
  const { io } = m.start();
  const records: LogRecord[] = [];
  const code = await command.run({
    ...{ args: [], flags, json: false, io },
    log: createLog(io.clock, (record) => records.push(record)),
    out: { data: () => {}, talk: () => {}, findings: () => {}, live: undefined },
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

t.test(
  "a first boot in which firstlight came to an end is not left, whatever the end",
  async (t) => {
    const m = await unprovedMachine(t, "grub");
    m.cutPower();
    await run(m);
    await start(m).recover({ judges: true });
    const result = (...names: string[]) =>
      JSON.stringify({ v: 1, outcome: "failed", stages: names.map((stage) => ({ stage, ms: 1 })) });
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
