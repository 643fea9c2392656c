import { statSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { FileSpace } from "#core/io.ts";
import { defaultBuildPolicy } from "./build-policy.ts";
import { systemClient } from "./client.ts";
import {
  leftOvers,
  machine,
  mebi,
  policy,
  reason,
  type Started,
  setMemory,
  start,
  swapLeft,
} from "./fake-build.ts";
import { fakeSources } from "./fake-machine.ts";

/** What systemd was asked to run outside of our own unit. */
function outside(s: Started): readonly string[] {
  const run = "systemd-run --pipe --wait --quiet --collect --no-ask-password ";
  return s.commands().flatMap((argv) => (argv.startsWith(run) ? [argv.slice(run.length)] : []));
}

t.test("a machine with too little memory is told so before anything has begun", async (t) => {
  const m = machine(t);
  setMemory(m, 400, 100);
  const s = start(m, { substituters: ["https://cache.example.org"] });
  await t.rejects(s.build(), {
    code: "system/not-enough-memory",
    message:
      /at least 600\.0 MiB and better 1\.5 GiB are needed, 500\.0 MiB can be had \(400\.0 MiB of 800\.0 MiB memory available, 100\.0 MiB of free swap\)/,
    hint: /fetch/,
  });
  t.notOk(
    s.commands().some((argv) => argv.includes("nix-")),
    "no Nix was started",
  );
  t.strictSame(leftOvers(m), []);
});

t.test("with memory that may do there is a warning, with enough there is none", async (t) => {
  const m = machine(t);
  setMemory(m, 1_000);
  const tight = start(m);
  await tight.build();
  t.match(tight.warnings(), [/memory may be short: .*1000\.0 MiB can be had/]);
  setMemory(m, 2_000);
  const enough = start(m);
  await enough.build();
  t.strictSame(enough.warnings(), []);
  const limits = { ...defaultBuildPolicy.limits, memoryMax: "500M" };
  await t.rejects(start(m, { policy: policy({ limits }) }).build(), {
    code: "system/not-enough-memory",
    message: /500\.0 MiB can be had/,
  });
});

t.test("swap in a file is there for the build and gone after it", async (t) => {
  const m = machine(t);
  setMemory(m, 300);
  m.faults.space = () => ({ fileSystem: 0xef53 });
  const file = path.join(m.root, "var/lib/firstlight/build.swap");
  const seen: (string | undefined)[] = [];
  m.faults.answers.set("nix-instantiate", () => {
    seen.push(m.read("/proc/swaps"), (statSync(file).mode & 0o777).toString(8));
    return undefined;
  });
  const s = start(m, { policy: policy({ swap: "file" }) });
  await s.build();
  t.match(seen, [new RegExp(`^${file} `), "600"]);
  t.strictSame(
    outside(s).filter((argv) => /swap|fallocate/.test(argv)),
    [
      `fallocate --length ${1_200 * mebi} ${file}`,
      `mkswap --label firstlight ${file}`,
      `swapon --priority 100 ${file}`,
      `swapoff ${file}`,
    ],
  );
  t.strictSame(swapLeft(m), []);
});

t.test("swap in compressed memory takes a free device, and gives it back", async (t) => {
  const m = machine(t);
  setMemory(m, 300);
  const s = start(m, { policy: policy({ swap: "zram" }) });
  await s.build();
  t.strictSame(
    outside(s).filter((argv) => /swap|zram/.test(argv)),
    [
      "modprobe zram",
      `zramctl --size ${2_400 * mebi} /dev/zram0`,
      "mkswap --label firstlight /dev/zram0",
      "swapon --priority 100 /dev/zram0",
      "blkid --probe --output export /dev/zram0",
      "swapoff /dev/zram0",
      "zramctl --reset /dev/zram0",
    ],
  );
  t.equal(m.read("/run/firstlight/build-zram"), undefined);
  m.write("/sys/block/zram0/disksize", "4096\n");
  const other = start(m, { policy: policy({ swap: "zram" }) });
  await other.build();
  t.ok(outside(other).includes("zramctl --reset /dev/zram1"), "somebody else's is left alone");
  t.equal(m.read("/sys/block/zram0/disksize"), "4096\n");
});

t.test("with `auto` it is zram where the kernel has it, and else a file", async (t) => {
  const swapOn = (s: Started) => outside(s).find((argv) => argv.startsWith("swapon"));
  const has = machine(t);
  setMemory(has, 300);
  has.write("/sys/class/zram-control/hot_add", "3\n");
  const zram = start(has, { policy: policy({ swap: "auto" }) });
  await zram.build();
  t.equal(swapOn(zram), "swapon --priority 100 /dev/zram3");
  t.notOk(outside(zram).includes("modprobe zram"), "it is loaded");

  const hasNot = machine(t);
  setMemory(hasNot, 300);
  hasNot.faults.space = () => ({ fileSystem: 0xef53 });
  const why = "modprobe: FATAL: Module zram not found";
  hasNot.faults.answers.set("modprobe", () => ({ code: 1, stderr: `${why}\n` }));
  const file = start(hasNot, { policy: policy({ swap: "auto" }) });
  await file.build();
  t.match(swapOn(file), /^swapon --priority 100 \/.*\/build\.swap$/);
  t.match(file.warnings().at(-1), `swap in a file instead of zram: `);
  t.ok(file.warnings().at(-1)?.includes(why));

  const broken = machine(t);
  setMemory(broken, 300);
  broken.faults.space = () => ({ fileSystem: 0xef53 });
  broken.faults.answers.set("zramctl", ({ args }) =>
    args[0] === "--size" ? { code: 1, stderr: "zramctl: no memory\n" } : undefined,
  );
  const instead = start(broken, { policy: policy({ swap: "auto" }) });
  await instead.build();
  t.match(swapOn(instead), /build\.swap$/);
  for (const m of [has, hasNot, broken]) t.strictSame(swapLeft(m), []);
  const neither = start(hasNot, { policy: policy({ swap: "auto" }) });
  hasNot.faults.space = () => ({ fileSystem: 0x9123683e });
  await t.rejects(neither.build(), { code: "system/swap-failed", message: /btrfs/ });
});

for (const swap of ["file", "zram", "auto"] as const) {
  t.test(`swap by ${swap} is gone after a death at any effect, and the next build`, async (t) => {
    for (let dieAt = 1; ; dieAt++) {
      const m = machine(t);
      setMemory(m, 300);
      m.faults.space = () => ({ fileSystem: 0xef53 });
      const options = { policy: policy({ swap }) };
      const dying = m.start({ ...options, dieAt });
      await systemClient(dying.system)
        .build(fakeSources("a"), reason)
        .catch(() => {});
      const { c } = start(m, options);
      await c.recover();
      t.strictSame(leftOvers(m), []);
      t.ok(await c.build(fakeSources("a"), reason));
      t.strictSame(swapLeft(m), []);
      if (!dying.dead()) break;
    }
  });
}

t.test("a device that somebody else took after our death is left alone", async (t) => {
  const m = machine(t);
  m.write("/run/firstlight/build-zram", "/dev/zram0\n");
  m.write("/proc/swaps", "/dev/zram0 partition 1 0 100\n");
  m.write("/dev/zram0", "x".repeat(4096));
  const s = start(m);
  await s.build();
  t.notOk(s.commands().some((argv) => /swapoff|zramctl/.test(argv)));
  t.equal(m.read("/run/firstlight/build-zram"), undefined);
});

const refusals: readonly (readonly [string, Partial<FileSpace>, string, RegExp])[] = [
  ["btrfs", { fileSystem: 0x9123683e }, "system/swap-failed", /btrfs copies on write/],
  ["another file system", { fileSystem: 0x1021994 }, "system/swap-failed", /\(1021994\)/],
  [
    "a disk without the room",
    { fileSystem: 0xef53, availableBytes: 700 * mebi },
    "system/not-enough-space",
    /room for 1\.2 GiB of swap and 32\.0 MiB to stay free, free are 700\.0 MiB/,
  ],
];

for (const [name, space, code, message] of refusals) {
  t.test(`no swap file is made on ${name}: refused, or without where it may do`, async (t) => {
    const m = machine(t);
    m.faults.space = () => space;
    setMemory(m, 300);
    const s = start(m, { policy: policy({ swap: "file" }) });
    await t.rejects(s.build(), { code, message });
    t.strictSame(leftOvers(m), []);
    setMemory(m, 800);
    m.faults.space = () => ({ ...space, availableBytes: 100 * 1024 ** 3, fileSystem: 1 });
    const tight = start(m, { policy: policy({ swap: "file" }) });
    await tight.build();
    t.match(tight.warnings().at(-1), /going on without swap/);
  });
}

t.test("swap that cannot be made or removed is told, and nothing hangs on it", async (t) => {
  const m = machine(t);
  m.faults.space = () => ({ fileSystem: 0xef53 });
  setMemory(m, 300);
  m.faults.answers.set("swapon", () => ({
    code: 255,
    stderr: "swapon failed: Invalid argument\n",
  }));
  const options = { policy: policy({ swap: "file" }) };
  await t.rejects(start(m, options).build(), {
    code: "system/swap-failed",
    message: /swapon .*exit code 255.*Invalid argument/s,
  });
  t.strictSame(leftOvers(m), []);
  m.faults.answers.clear();
  m.faults.answers.set("swapoff", () => ({ code: 255, stderr: "swapoff failed: no memory\n" }));
  const s = start(m, options);
  await s.build();
  t.match(s.warnings().at(-1), /could not be removed yet.*no memory/s);
  m.faults.answers.clear();
  await start(m, options).build();
  t.strictSame(swapLeft(m), []);
});
