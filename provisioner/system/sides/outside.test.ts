import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { outsideOfSandbox } from "./outside.ts";

const deadline = { timeoutMs: 90_500 };

t.test("what only speaks to a daemon stays inside, the rest is systemd's", async (t) => {
  const programs = { "nix-store": () => ({}), "systemd-run": () => ({ code: 4, stdout: "out" }) };
  const fake = fakeIo(t.testdir(), programs);
  const io = outsideOfSandbox({ ...fake, env: { PATH: "/run/current-system/sw/bin" } });
  await io.exec({ file: "nix-store", args: ["--realise", "/x"], ...deadline });
  const stc = "/nix/store/0-system/bin/switch-to-configuration";
  const end = await io.exec({
    file: stc,
    args: ["dry-activate"],
    env: { A: "b c", GONE: undefined },
    cwd: "/tmp",
    stdin: "word",
    effect: "try it",
    ...deadline,
  });
  t.match(end, { code: 4, stdout: "out" });
  const [kept, moved] = fake.executed;
  t.match(kept, { file: "nix-store", args: ["--realise", "/x"] });
  t.match(moved, { file: "systemd-run", stdin: "word", effect: "try it", timeoutMs: 90_500 });
  t.same(moved?.args, [
    "--pipe",
    "--wait",
    "--quiet",
    "--collect",
    "--no-ask-password",
    "--unit=firstlight-run-00000000",
    "--property=RuntimeMaxSec=91s",
    "--property=WorkingDirectory=/tmp",
    "--setenv=PATH=/run/current-system/sw/bin",
    "--setenv=A=b c",
    stc,
    "dry-activate",
  ]);
  t.notOk(moved !== undefined && "cwd" in moved);
});

t.test("what is called off is stopped outside as well", async (t) => {
  const programs = { "systemd-run": () => ({ code: null, aborted: true }), systemctl: () => ({}) };
  const fake = fakeIo(t.testdir(), programs);
  t.match(await outsideOfSandbox(fake).exec({ file: "sleep", args: ["9"], ...deadline }), {
    aborted: true,
  });
  t.match(fake.executed.at(-1), {
    file: "systemctl",
    args: ["stop", "firstlight-run-00000000.service"],
  });
});

t.test("more may work inside of another sandbox", async (t) => {
  const fake = fakeIo(t.testdir(), { getent: () => ({}), "systemd-run": () => ({}) });
  await outsideOfSandbox(fake, ["getent"]).exec({ file: "getent", args: ["ahosts"], ...deadline });
  await outsideOfSandbox(fake).exec({ file: "getent", args: ["ahosts"], ...deadline });
  t.same(
    fake.executed.map(({ file }) => file),
    ["getent", "systemd-run"],
  );
});

t.test("what a person wrote reaches the program as it is, and ends when it should", async (t) => {
  const fake = fakeIo(t.testdir({ bin: { sh: "" } }), { "systemd-run": () => ({}) });
  const io = outsideOfSandbox({ ...fake, env: { PATH: "/sbin:/bin" } });
  const script = "test x$A";
  await io.exec({ file: "sh", args: ["-c", script, "$A"], graceMs: 5_000, ...deadline });
  const [moved] = fake.executed;
  t.same(moved?.args.slice(-4), ["sh", "-c", "test x$$A", "$$A"]);
  t.ok(moved?.args.includes("--property=TimeoutStopSec=5s"));
  await t.rejects(io.exec({ file: "curl", args: [], ...deadline }), {
    code: "exec/not-found",
    message: "curl: no such program",
  });
});
