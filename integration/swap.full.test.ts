import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import t, { type Test } from "tap";
import { hostFiles } from "#core/host-files.ts";
import { hostIo } from "#core/host-io.ts";
import type { Files, Io } from "#core/io.ts";
import { type BuildPolicy, defaultBuildPolicy } from "#provisioner/system/build-policy.ts";
import { systemClient } from "#provisioner/system/client.ts";
import { openDriver } from "#provisioner/system/driver.ts";
import { buildReason, smallSources } from "./build-sources.ts";
import { type NixMachine, nixMachine, nixModes, skipWithoutNix } from "./nix-machine.ts";

// Swap for the time of a build, by the kernel's own hands.

t.setTimeout(300_000);
const isRoot = process.env["CI"] === "true" || nixModes().includes("namespace");
const skip = skipWithoutNix() || (isRoot ? false : "SKIPPED: needs root to swap");
const mebi = 1024 ** 2;
const kernel = hostFiles("/", () => {});

/** The machine's files, with this host's kernel; what memory it has is the test's to say. */
function withKernel(files: Files): Files {
  const of = (file: string) =>
    /^\/(proc|sys)\//.test(file) && file !== "/proc/meminfo" ? kernel : files;
  const meminfo = `MemTotal: ${800 * 1024} kB\nMemAvailable: ${300 * 1024} kB\nSwapFree: 0 kB\n`;
  return {
    ...files,
    list: (file) => of(file).list(file),
    readText: (file, options) =>
      file === "/proc/meminfo" ? meminfo : of(file).readText(file, options),
    stat: (file) => of(file).stat(file),
  };
}

/** Wants 64 MiB more than there is. */
function policy(swap: BuildPolicy["swap"]): BuildPolicy {
  const evaluationMemory = { leastBytes: 100 * mebi, wantedBytes: 364 * mebi };
  return { ...defaultBuildPolicy, swap, evaluationMemory };
}

const swaps = () => readFileSync("/proc/swaps", "utf8").split("\n").slice(1).filter(Boolean);

/** Builds, and says what was swapped to while Nix evaluated, and what firstlight warned of. */
async function build(machine: NixMachine, name: string, swap: BuildPolicy["swap"]) {
  const seen: string[] = [];
  const warnings: string[] = [];
  const own = machine.io();
  const host = hostIo({ root: machine.root, env: machine.env });
  const io: Io = {
    ...own,
    files: withKernel(own.files),
    exec(request) {
      if (request.file === "nix-instantiate") seen.push(...swaps());
      // Swap has the name of its mounts: not those of a shell that enters the machine's store.
      return request.file.startsWith("nix") ? own.exec(request) : host.exec(request);
    },
  };
  const { storeFiles } = machine;
  const system = openDriver(io, { driver: "nix", storeFiles, policy: policy(swap) });
  const c = systemClient(system, {
    onEvent(event) {
      if (event.type === "warning") warnings.push(`${event.code}: ${event.message}`);
    },
  });
  await c.build(smallSources(name, ""), buildReason);
  system.close();
  return { seen, warnings };
}

/** A machine whose state lies on a disk of its own, because memory cannot be swapped to. */
async function machineWithDisk(t: Test): Promise<NixMachine> {
  const machine = await nixMachine(t);
  const state = path.join(machine.root, "var/lib/firstlight");
  const image = `${machine.root}.disk`;
  const host = (program: string, ...args: readonly string[]) => {
    const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`${program}: ${stderr}`);
  };
  mkdirSync(state, { recursive: true });
  host("truncate", "--size", "256M", image);
  host("mke2fs", "-q", "-t", "ext4", image);
  host("mount", "-o", "loop", image, state);
  t.teardown(() => {
    spawnSync("swapoff", [path.join(state, "build.swap")]);
    host("umount", state);
  });
  return machine;
}

t.test("in a file and in zram, and gone after it", { skip }, async (t) => {
  const machine = await machineWithDisk(t);
  const before = swaps();
  const file = path.join(machine.root, "var/lib/firstlight/build.swap");
  const inFile = new RegExp(`^${file}\\s+file\\s`);
  const inMemory = /^\/dev\/zram[0-9]+\s+partition\s/;
  const hasZram = existsSync("/sys/class/zram-control");
  const kinds = [
    ["file", inFile],
    ["auto", hasZram ? inMemory : inFile],
    ...(hasZram ? ([["zram", inMemory]] as const) : []),
  ] as const;
  for (const [swap, place] of kinds) {
    const { seen, warnings } = await build(machine, swap, swap);
    const added = seen.filter((line) => !before.includes(line));
    t.match(added, [place], swap);
    t.match(added[0], /\s100$/, "before any other");
    const [first] = warnings;
    t.match(first, /^system\/not-enough-memory: memory is short, so swap for .* is added/);
    t.strictSame(swaps(), before);
    t.notOk(existsSync(file));
    t.notOk(existsSync(path.join(machine.root, "var/lib/firstlight/build.zram")));
  }
});

t.test("what a build that was killed left is taken away by the next", { skip }, async (t) => {
  const machine = await machineWithDisk(t);
  const before = swaps();
  const file = path.join(machine.root, "var/lib/firstlight/build.swap");
  await build(machine, "first", "none");
  for (const [program, ...args] of [
    ["fallocate", "--length", String(16 * mebi), file],
    ["chmod", "600", file],
    ["mkswap", "--label", "firstlight", file],
    ["swapon", file],
  ] as const) {
    t.equal(spawnSync(program, args).status, 0, program);
  }
  t.equal(swaps().length, before.length + 1);
  await build(machine, "second", "none");
  t.strictSame(swaps(), before);
  t.notOk(existsSync(file));
});
