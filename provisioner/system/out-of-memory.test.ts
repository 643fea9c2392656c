import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { hostFiles } from "#core/host-files.ts";
import { defaultBuildLimits, limitBytes, limitProperties } from "./build-limits.ts";
import { isMemoryLimited, readGroupMemory, readMemory, readOomKills } from "./memory.ts";
import { type MemoryTraces, memoryFault } from "./out-of-memory.ts";

const gibi = 1024 ** 3;
const plain: MemoryTraces = {
  what: "building the system",
  result: { code: 100, signal: null, aborted: false, timedOut: false },
  said: "error: builder for '/nix/store/x.drv' failed with exit code 1",
  log: ["a compiler's error"],
  kills: 0,
  group: undefined,
  scopeResult: null,
  limit: null,
  memory: { totalBytes: 4 * gibi, availableBytes: 3 * gibi, swapFreeBytes: 0 },
};
const killed = { code: null, signal: "SIGKILL", aborted: false, timedOut: false };
const signal9 = "error: builder for '/nix/store/x.drv' failed due to signal 9 (Killed)";

const short: readonly (readonly [string, Partial<MemoryTraces>, RegExp])[] = [
  [
    "the kernel killed Nix itself",
    { result: killed, kills: 1 },
    /killed for want of memory; the kernel killed 1 process, 3\.0 GiB of 4\.0 GiB memory available, no swap/,
  ],
  ["the kernel killed a builder", { said: signal9, kills: 2 }, /the kernel killed 2 processes/],
  [
    "a builder's program was killed and the shell says so",
    { log: ["./build: line 3:  1234 Killed"], kills: 1 },
    /killed/,
  ],
  [
    "a builder gave the shell's code for it",
    { said: "error: builder for 'x' failed with exit code 137", kills: 1 },
    /killed/,
  ],
  [
    "its scope was ended for it",
    { scopeResult: "oom-kill", limit: "90%" },
    /limit 90% \(3\.6 GiB\)/,
  ],
  [
    "its group counts it",
    { group: { oomKills: 3, peakBytes: 2 * gibi }, limit: "2G" },
    /the kernel killed 3 processes, limit 2G, peak 2\.0 GiB/,
  ],
  [
    "Nix's collector got no memory",
    { said: "GC Warning: Out of Memory! Heap size: 0 MiB. Returning NULL!\nerror: out of memory" },
    /refused more memory/,
  ],
  [
    "a process could not be made",
    { said: "error: unable to fork: Cannot allocate memory" },
    /refused more memory/,
  ],
  [
    "a compiler says so",
    { log: ["cc1plus: out of memory allocating 65536 bytes"] },
    /refused more memory/,
  ],
  ["the kernel does not count, and SIGKILL ended it", { result: killed, kills: null }, /killed/],
];

for (const [name, traces, message] of short) {
  t.test(`it was the memory when ${name}`, async (t) => {
    t.match(memoryFault({ ...plain, ...traces }), { code: "system/out-of-memory", message });
  });
}

const other: readonly (readonly [string, Partial<MemoryTraces>])[] = [
  ["a build failed", {}],
  ["a build failed while something else was killed", { kills: 1 }],
  [
    "the collector only warned",
    { said: "GC Warning: Failed to expand heap by 402653184 bytes\nerror: undefined variable 'x'" },
  ],
  ["a person killed it", { result: killed }],
  ["a person killed a builder", { said: signal9 }],
  ["it was called off", { result: { ...killed, aborted: true }, kills: 1 }],
  ["its time was over", { result: { ...killed, timedOut: true }, kills: 1 }],
  ["its group counts nothing", { group: { oomKills: 0, peakBytes: undefined } }],
  ["a test is called so", { log: ["test_out_of_memory ... ok", "Killed by Death, track 3"] }],
];

for (const [name, traces] of other) {
  t.test(`it was not the memory when ${name}`, async (t) => {
    t.equal(memoryFault({ ...plain, ...traces }), undefined);
  });
}

t.test("the kernel's own figures are read, and what is missing is not made up", async (t) => {
  const root = t.testdir();
  const files = hostFiles(root, () => {});
  t.equal(readMemory(files), undefined);
  t.equal(readOomKills(files), undefined);
  t.equal(readGroupMemory(files, "system.slice/x.scope"), undefined);
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  write(
    "proc/meminfo",
    "MemTotal:  2048 kB\nMemFree: 10 kB\nMemAvailable: 1024 kB\nSwapFree: 1 kB\n",
  );
  write("proc/vmstat", "nr_free_pages 1\noom_kill 7\n");
  write(
    "sys/fs/cgroup/system.slice/x.scope/memory.events",
    "low 0\noom 2\noom_kill 1\noom_group_kill 0\n",
  );
  t.strictSame(readMemory(files), {
    totalBytes: 2048 * 1024,
    availableBytes: 1024 * 1024,
    swapFreeBytes: 1024,
  });
  t.equal(readOomKills(files), 7);
  t.strictSame(readGroupMemory(files, "system.slice/x.scope"), {
    oomKills: 1,
    peakBytes: undefined,
  });
  write("sys/fs/cgroup/system.slice/x.scope/memory.peak", "4096\n");
  t.match(readGroupMemory(files, "system.slice/x.scope"), { peakBytes: 4096 });
});

const groups: readonly (readonly [
  string,
  Readonly<Record<string, string>>,
  boolean | undefined,
])[] = [
  ["a limit", { "x.scope/memory.max": "1073741824\n" }, true],
  ["none of it", { "x.scope/memory.max": "max\n" }, false],
  ["a group without the controller", { "x.scope/cgroup.procs": "1\n" }, false],
  ["an old limit", { "../memory/system.slice/x.scope/memory.limit_in_bytes": "4096\n" }, true],
  [
    "none of the old",
    { "../memory/system.slice/x.scope/memory.limit_in_bytes": "9223372036854771712\n" },
    false,
  ],
  ["no group", {}, undefined],
];

for (const [name, tree, limited] of groups) {
  t.test(`the kernel itself says whether a limit is kept: ${name}`, async (t) => {
    const root = t.testdir();
    for (const [file, text] of Object.entries(tree)) {
      const place = path.join(root, "sys/fs/cgroup/system.slice", file);
      mkdirSync(path.dirname(place), { recursive: true });
      writeFileSync(place, text);
    }
    t.equal(
      isMemoryLimited(
        hostFiles(root, () => {}),
        "system.slice/x.scope",
      ),
      limited,
    );
  });
}

t.test("limits are systemd's properties, and mean bytes on a machine", async (t) => {
  t.strictSame(limitProperties(defaultBuildLimits), [
    ["MemoryMax", "90%"],
    ["CPUWeight", "50"],
    ["IOWeight", "50"],
    ["TasksMax", "50%"],
  ]);
  t.match(limitProperties({ ...defaultBuildLimits, memoryHigh: "80%" }), [
    ["MemoryMax"],
    ["MemoryHigh", "80%"],
  ]);
  t.equal(limitBytes("50%", 1000), 500);
  t.equal(limitBytes("12.5%", 1000), 125);
  t.equal(limitBytes("1K", 1000), 1024);
  t.equal(limitBytes("infinity", 1000), Number.POSITIVE_INFINITY);
});
