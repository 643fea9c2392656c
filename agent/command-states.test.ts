import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { type FakeProgram, fakeIo } from "#core/fake-io.ts";
import { askCommands, failedSideEffects, readCommands } from "./command-states.ts";

const names = ["waits", "runs", "did", "failed", "cut", "torn"];
const stampOf = (name: string) => `/var/lib/firstlight/stamps/0123456789abcdef/${name}`;

/** A machine whose system runs these commands, in its second boot. */
function machine(t: { testdir(): string }, systemctl?: FakeProgram) {
  const root = t.testdir();
  const put = (file: string, value: unknown) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    const text = typeof value === "string" ? value : JSON.stringify(value);
    writeFileSync(path.join(root, file), text);
  };
  const record = { v: 1, content: "", release: "r", instance: "", credentials: [], hooks: [] };
  const commands = names.map((name) => ({
    name,
    unit: `firstlight-command-${name}.service`,
    stamp: stampOf(name),
  }));
  put("/run/current-system/etc/firstlight/generation.json", { ...record, commands });
  put("/proc/sys/kernel/random/boot_id", "boot-2\n");
  const begun = { v: 1, bootId: "boot-2", startedAt: "2026-01-01T00:00:00Z" };
  const open = { ...begun, endedAt: null, exitCode: null };
  const ended = { ...begun, endedAt: "2026-01-01T00:00:09Z" };
  put(stampOf("runs"), open);
  put(stampOf("did"), { ...ended, bootId: "boot-1", exitCode: 0 });
  put(stampOf("failed"), { ...ended, exitCode: 7 });
  put(stampOf("cut"), { ...open, bootId: "boot-1" });
  put(stampOf("torn"), '{"v":1,"bo');
  return { io: fakeIo(root, systemctl === undefined ? {} : { systemctl }), put };
}

t.test("each command says how it fares, and with what it ended", async (t) => {
  const { io } = machine(t);
  const commands = readCommands(io.files);
  t.strictSame(
    commands.map(({ name, state, exitCode }) => [name, state, exitCode]),
    [
      ["waits", "waiting", null],
      ["runs", "running", null],
      ["did", "done", 0],
      ["failed", "failed", 7],
      ["cut", "interrupted", null],
      ["torn", "interrupted", null],
    ],
  );
  t.match(commands[3], { endedAt: "2026-01-01T00:00:09Z", startedAt: "2026-01-01T00:00:00Z" });
  t.strictSame(await askCommands(io), commands, "without systemd nobody is asked");
  t.equal(io.executed.length, 0);
});

t.test("one whose unit could not even begin has failed", async (t) => {
  const { io, put } = machine(t, ({ args }) => {
    t.strictSame(args, ["is-failed", "firstlight-command-waits.service"]);
    return { stdout: "failed\n" };
  });
  put("/run/systemd/system/x", "");
  t.match((await askCommands(io))[0], { name: "waits", state: "failed", exitCode: null });
});

t.test("what failed is a sentence each; hooks only of the change that was made", async (t) => {
  const { io, put } = machine(t);
  const hook = { name: "snapshot", when: "pre-update", exitCode: 1, endedAt: "" };
  const results = [
    { ...hook, failure: "it ended with exit code 1" },
    { ...hook, name: "fine", exitCode: 0, failure: null },
  ];
  put("/var/lib/firstlight/hooks.json", { v: 1, transaction: "t1", results, settled: null });
  const failures = failedSideEffects(io, "t1");
  t.match(failures, [
    /^command failed ended with exit code 7; journalctl -u firstlight-command-failed\.service/,
    /^command cut did not end/,
    /^command torn did not end/,
    "hook snapshot (pre-update): it ended with exit code 1",
  ]);
  t.equal(failures.length, 4);
  t.equal(failedSideEffects(io, "t2").length, 3);
  t.strictSame(failedSideEffects(fakeIo(t.testdir({})), "t1"), []);
});
