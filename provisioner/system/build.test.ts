import { rmSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { ExecRequest, FileSpace } from "#core/io.ts";
import { defaultBuildPolicy } from "./build-policy.ts";
import { systemClient } from "./client.ts";
import { leftOvers, machine, mebi, policy, reason, setMemory, start } from "./fake-build.ts";
import { fakeSources } from "./fake-machine.ts";

t.test("evaluation and build run in scopes of their own with the limits", async (t) => {
  const limits = { ...defaultBuildPolicy.limits, memoryMax: "2G", memoryHigh: "80%" };
  const s = start(machine(t), { policy: policy({ limits }) });
  await s.build();
  for (const [program, kind] of [
    ["nix-instantiate", "evaluate"],
    ["nix-store --realise", "build"],
  ] as const) {
    const line = s.commands().find((argv) => argv.includes(` ${program} `)) ?? "";
    t.match(line, new RegExp(`^systemd-run --scope .*--unit=firstlight-${kind}-[^ ]+\\.scope `));
    t.match(line, / --property=MemoryMax=2G --property=MemoryHigh=80% --property=CPUWeight=50 /);
    t.match(line, / --property=RuntimeMaxSec=7260s /);
    t.match(line, / --log-format internal-json /);
  }
});

t.test("without systemd they run as they are", async (t) => {
  const s = start(machine(t, { systemd: false }));
  await s.build();
  t.ok(s.commands().some((argv) => argv.startsWith("nix-instantiate ")));
  t.notOk(s.commands().some((argv) => argv.includes("systemd-run")));
});

t.test("what is called off gets SIGINT, and what it left in its scope is ended", async (t) => {
  const m = machine(t);
  const stop = new AbortController();
  const asked: ExecRequest[] = [];
  m.faults.answers.set("nix-store", (request) => {
    if (request.args.includes("--dry-run")) return undefined;
    asked.push(request);
    stop.abort();
    return { code: 1, aborted: true, stderr: "error: interrupted by the user\n" };
  });
  const s = start(m, { signal: stop.signal });
  await t.rejects(s.build(), { code: "system/canceled" });
  t.equal(asked[0]?.stopSignal, "SIGINT");
  t.ok(s.commands().some((argv) => /^systemctl stop firstlight-build-.*\.scope$/.test(argv)));
  t.strictSame(leftOvers(m), []);
});

t.test("what a killed firstlight left running is ended by the next one", async (t) => {
  const m = machine(t);
  const dying = m.start({ dieAt: 8 });
  await t.rejects(systemClient(dying.system).build(fakeSources("b"), reason));
  t.ok(dying.dead());
  const after = start(m);
  t.match(await after.c.recover(), { state: "abandoned" });
  t.ok(
    after
      .commands()
      .some((argv) =>
        /^systemctl stop firstlight-evaluate-\S+\.service firstlight-evaluate-\S+\.scope firstlight-build-\S+\.scope$/.test(
          argv,
        ),
      ),
  );
  t.strictSame(leftOvers(m), []);
});

const kills = [
  {
    name: "the evaluation, as the kernel's count says",
    program: "nix-instantiate",
    answer: { code: null, signal: "SIGKILL" },
    count: true,
    scope: "success",
  },
  {
    name: "a builder, as systemd says",
    program: "nix-store",
    answer: {
      code: 100,
      stderr: "error: builder for '/nix/store/x.drv' failed due to signal 9 (Killed)\n",
    },
    count: false,
    scope: "oom-kill",
  },
];

for (const { name, program, answer, count, scope } of kills) {
  t.test(`the kernel's killer is named when it ended ${name}`, async (t) => {
    const m = machine(t);
    setMemory(m, 4_000);
    m.write("/proc/vmstat", "oom_kill 3\n");
    m.faults.answers.set(program, ({ args }) => {
      if (args.includes("--dry-run")) return undefined;
      if (count) m.write("/proc/vmstat", "oom_kill 4\n");
      return answer;
    });
    m.faults.answers.set("systemctl", ({ args }) =>
      args.includes("--value") ? { stdout: `${scope}\n` } : undefined,
    );
    const s = start(m);
    await t.rejects(s.build(), {
      code: "system/out-of-memory",
      message: /killed for want of memory.*limit 90% \(7\.0 GiB\).*3\.9 GiB of 7\.8 GiB/,
    });
    const isReset = s.commands().some((argv) => argv.startsWith("systemctl reset-failed"));
    t.equal(isReset, scope === "oom-kill", "a scope that failed is forgotten");
    t.strictSame(leftOvers(m), []);
  });
}

t.test("the scope's own figures are read while it is there", async (t) => {
  const m = machine(t);
  m.faults.answers.set("systemd-run", ({ args, onStderrLine }) => {
    const scope = args.find((arg) => arg.startsWith("--unit="))?.slice(7) ?? "";
    if (!scope.startsWith("firstlight-build-")) return undefined;
    const group = `/sys/fs/cgroup/system.slice/${scope}`;
    m.write(`${group}/memory.events`, "oom 1\noom_kill 1\n");
    m.write(`${group}/memory.peak`, `${700 * mebi}\n`);
    onStderrLine?.(
      '@nix {"action":"msg","level":0,"msg":"error: builder for \'/nix/store/x.drv\' failed with exit code 1"}',
    );
    rmSync(path.join(m.root, group), { recursive: true });
    return { code: 100 };
  });
  await t.rejects(start(m).build(), {
    code: "system/out-of-memory",
    message: /the kernel killed 1 process, limit 90%, peak 700\.0 MiB/,
  });
});

t.test(
  "a limit that systemd took and the kernel does not keep is told, once a scope",
  async (t) => {
    const m = machine(t);
    m.faults.answers.set("systemd-run", ({ args, onStderrLine }) => {
      const scope = args.find((arg) => arg.startsWith("--unit="))?.slice(7) ?? "";
      m.write(`/sys/fs/cgroup/system.slice/${scope}/memory.max`, "max\n");
      for (const line of ["one", "two"]) onStderrLine?.(line);
      return undefined;
    });
    const s = start(m);
    await s.build();
    const told = s.warnings();
    t.equal(told.length, 2);
    t.match(told[0], /^firstlight-evaluate-.*: MemoryMax=90% was asked for, .*no limit$/);
    t.match(told[1], /^firstlight-build-/);
    t.match(await s.c.status(), { limits: "not-kept" });
    m.write("/sys/fs/cgroup/cgroup.controllers", "cpu io memory pids\n");
    t.match(await s.c.status(), { limits: "kept" });
    const limits = { ...defaultBuildPolicy.limits, memoryMax: "infinity" };
    const free = start(m, { policy: policy({ limits }) });
    await free.build();
    t.same(free.warnings(), [], "none was asked for");
    t.match(await start(machine(t, { systemd: false })).c.status(), { limits: "none" });
  },
);

const rooms: readonly (readonly [string, (place: string) => Partial<FileSpace>, RegExp])[] = [
  [
    "the store has no room",
    (place) =>
      place.startsWith("/nix") ? { availableBytes: 100 * mebi, totalBytes: 1000 * mebi } : {},
    /^\/nix\/store: .*256\.0 MiB and 2000 files must stay free, but free are 100\.0 MiB of 1000\.0 MiB/,
  ],
  [
    "the store has no inodes",
    (place) => (place.startsWith("/nix") ? { freeInodes: 10 } : {}),
    /^\/nix\/store: .*and 10 files/,
  ],
  [
    "the state directory has no room",
    (place) => (place.startsWith("/var") ? { availableBytes: mebi } : {}),
    /^\/var\/lib\/firstlight\/sources: /,
  ],
];

for (const [name, space, message] of rooms) {
  t.test(`nothing is begun where ${name}`, async (t) => {
    const m = machine(t);
    m.faults.space = space;
    const s = start(m);
    await t.rejects(s.build(), { code: "system/not-enough-space", message });
    t.notOk(s.commands().some((argv) => argv.includes("nix-")));
    t.strictSame(leftOvers(m), []);
  });
}

t.test("what is to be fetched must fit, in bytes and in files", async (t) => {
  const m = machine(t);
  m.faults.answers.set("nix-store", ({ args }) =>
    args.includes("--dry-run")
      ? {
          stderr:
            "these 2 derivations will be built:\n  /nix/store/a.drv\n  /nix/store/b.drv\nthese 9 paths will be fetched (100.00 MiB download, 1024.00 MiB unpacked):\n  /nix/store/c\n",
        }
      : undefined,
  );
  for (const [space, message] of [
    [{ availableBytes: 1100 * mebi }, /1\.0 GiB and 131172 files are needed/],
    [{ freeInodes: 130_000 }, /and 130000 files$/],
  ] as const) {
    m.faults.space = () => space;
    const s = start(m, { substituters: ["https://cache.example.org"] });
    await t.rejects(s.build(), { code: "system/not-enough-space", message, hint: /fetch\.mode/ });
    t.notOk(s.commands().some((argv) => argv.includes("--add-root") && argv.includes("--realise")));
    t.strictSame(leftOvers(m), []);
  }
  m.faults.space = () => ({ totalInodes: 0, availableBytes: 1281 * mebi });
  t.ok(await start(m, { substituters: ["https://cache.example.org"] }).build());
});

t.test("without caches Nix is not asked what could be fetched", async (t) => {
  const s = start(machine(t));
  await s.build();
  t.notOk(s.commands().some((argv) => argv.includes("--dry-run")));
});

t.test("a dry run that fails is no reason not to build", async (t) => {
  const m = machine(t);
  m.faults.answers.set("nix-store", ({ args }) =>
    args.includes("--dry-run") ? { code: 1, stderr: "error: cache unreachable\n" } : undefined,
  );
  t.ok(await start(m, { substituters: ["https://cache.example.org"] }).build());
});

t.test("kernels that are not there yet must fit where the boot loader keeps them", async (t) => {
  const m = machine(t);
  const kernel = "/nix/store/00000000000000000000000000000001-linux-6.12/bzImage";
  m.write(kernel, "k".repeat(5000));
  m.write("/boot/EFI/nixos/other.efi", "");
  m.faults.space = (place) =>
    place.startsWith("/boot") ? { availableBytes: 8 * mebi + 4999 } : {};
  const { c } = start(m);
  const closure = await c.build(fakeSources("a"), reason);
  m.link(kernel, `${closure.toplevel}/kernel`);
  await t.rejects(c.build(fakeSources("a"), reason), {
    code: "system/not-enough-boot-space",
    message: /^\/boot\/EFI\/nixos: 4\.9 KiB and 0 files are needed and 8\.0 MiB/,
  });
  t.strictSame(leftOvers(m), []);
  m.write("/boot/EFI/nixos/00000000000000000000000000000001-linux-6.12-bzImage.efi", "");
  t.ok(await c.build(fakeSources("a"), reason), "it is there already");
});

t.test("it is said where the builders run", async (t) => {
  const s = start(machine(t));
  await s.build();
  t.match(
    s.events.find((event) => event.type === "builders"),
    { builders: "children" },
  );
});

t.test("a full disk is told with its room, whoever says it", async (t) => {
  for (const stderr of [
    "error: writing to file: No space left on device\n",
    "error: executing SQLite statement: database or disk is full\n",
    '@nix {"action":"start","id":1,"type":105,"fields":["/nix/store/x.drv"],"text":""}\n@nix {"action":"result","id":1,"type":101,"fields":["cp: error writing y: No space left on device"]}\n@nix {"action":"msg","level":0,"msg":"error: builder for \'/nix/store/x.drv\' failed with exit code 1"}\n',
  ]) {
    const m = machine(t);
    m.faults.space = () => ({
      availableBytes: 300 * mebi,
      totalBytes: 1000 * mebi,
      freeInodes: 5000,
    });
    m.faults.answers.set("nix-store", ({ args }) =>
      args.includes("--dry-run") ? undefined : { code: 1, stderr },
    );
    await t.rejects(start(m).build(), {
      code: "system/disk-full",
      message: /free: \/nix\/store 300\.0 MiB of 1000\.0 MiB and 5000 files, \/var\/lib/,
    });
    t.strictSame(leftOvers(m), []);
  }
});
