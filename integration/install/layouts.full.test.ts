import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import t from "tap";
import { hostFiles } from "#core/host-files.ts";
import { devicePath, partitionPath } from "#provisioner/install/devices.ts";
import type { DiskContent } from "#provisioner/install/disk-report.ts";
import { keepHome, wishesOfKept } from "#provisioner/install/keep-home.ts";
import type { Layout, On } from "#provisioner/install/layout.ts";
import { readPartitionTable } from "#provisioner/install/partition-table.ts";
import { repartDefinitions } from "#provisioner/install/repart.ts";
import { sampleLayout, sampleWishes } from "#provisioner/install/sample-layouts.ts";
import { findSignatures } from "#provisioner/install/signatures.ts";
import { type InstallStep, installSteps, type Stage } from "#provisioner/install/steps.ts";
import { storageModule } from "#provisioner/install/storage-options.ts";
import { readPrinted } from "#provisioner/nix-language/read-printed.ts";
import { toData } from "#provisioner/nix-language/to-data.ts";

// Every layout is made by the plan's own commands on loop devices: the same table by sfdisk and by
// systemd-repart, LUKS2 headers, file systems, and what the kernel can mount is mounted and held against
// the rendered options. This kernel has no device-mapper, no RAID and no FAT: what lies in a container
// or on a mirror stands on a loop device of the same size, and FAT is read by its own tools.

const isRoot = process.getuid?.() === 0;
const passphrase = "correct horse battery staple";

// Mounts of its own: a namespace that somebody else makes in the middle would hold them longer than it is wanted.
const apart = spawn("unshare", ["--mount", "--propagation", "private", "sleep", "infinity"]);
t.teardown(() => apart.kill());
const pid = String(apart.pid);
const spaceOf = (process: string) => readlinkSync(`/proc/${process}/ns/mnt`);
while (isRoot && spaceOf(pid) === spaceOf("self")) await setTimeout(20);

/** A path as it is in there. */
function inside(place: string): string {
  return isRoot ? `/proc/${pid}/root${place}` : place;
}

function run(argv: readonly string[], input?: string): string {
  return execFileSync("nsenter", ["--mount", "--target", pid, "--", ...argv], {
    encoding: "utf8",
    ...(input === undefined ? {} : { input }),
    stdio: ["pipe", "pipe", "pipe"],
  });
}

interface Loops {
  /** Path of the plan -> loop device. */
  readonly devices: Map<string, string>;
  close(): void;
}

/** Attaches what the plan will name, and gives the commands these devices instead. */
function openLoops(layout: Layout, directory: string, images: readonly string[]): Loops {
  const devices = new Map<string, string>();
  const attach = (name: string, args: readonly string[]) => {
    devices.set(name, run(["losetup", "--find", "--show", ...args]).trim());
  };
  layout.disks.forEach(({ partitions }, index) => {
    for (const { uuid, startBytes, sizeBytes } of partitions)
      attach(partitionPath(uuid), [
        ...["--offset", String(startBytes), "--sizelimit", String(sizeBytes), images[index] ?? ""],
      ]);
  });
  const stand = (on: On) => {
    const image = path.join(directory, `stand-in-${devices.size}`);
    holes(image, 20 * 1024 ** 3);
    attach(devicePath(on), [image]);
  };
  for (const { name } of layout.encrypted) stand({ encrypted: name });
  for (const { name } of layout.arrays) stand({ array: name });
  return {
    devices,
    close() {
      for (const device of devices.values()) run(["losetup", "--detach", device]);
    },
  };
}

function holes(file: string, bytes: number): void {
  const fd = openSync(file, "w");
  ftruncateSync(fd, bytes);
  closeSync(fd);
}

/** The command of a step on these devices; `undefined` where this kernel has not what it needs. */
function here(step: InstallStep, devices: ReadonlyMap<string, string>, target: string) {
  if (step.action.kind !== "run") return undefined;
  const { argv, input } = step.action;
  if (["mdadm", "udevadm", "sfdisk"].includes(argv[0])) return undefined;
  if (argv[0] === "cryptsetup" && argv[1] === "open") return undefined;
  if (argv[0] === "mount" && argv.includes("vfat")) return undefined;
  const mapped = argv.map((word) => devices.get(word) ?? word.replace(/^\/mnt(?=\/|$)/, target));
  // What makes guessing slow makes a test slow.
  const cheap =
    argv[1] === "luksFormat" ? ["--pbkdf-force-iterations", "4", "--pbkdf-memory", "32"] : [];
  const text = input === undefined ? undefined : "text" in input ? input.text : passphrase;
  return { argv: [...mapped, ...cheap], text };
}

function perform(step: InstallStep, devices: ReadonlyMap<string, string>, target: string): void {
  if (step.action.kind === "directory" && /^\/mnt/.test(step.action.path))
    mkdirSync(inside(step.action.path.replace("/mnt", target)), { recursive: true });
  const command = here(step, devices, target);
  if (command !== undefined) run(command.argv, command.text);
}

for (const [name, wishes] of Object.entries(sampleWishes)) {
  t.test(`${name} on loop devices`, { skip: !isRoot && "needs root" }, async (t) => {
    const directory = mkdtempSync(path.join(tmpdir(), "firstlight-layout-"));
    const target = path.join(directory, "mnt");
    mkdirSync(target);
    const layout = sampleLayout(wishes);
    const sources = { digest: "d".repeat(64) };
    const steps = installSteps({ layout, sources, system: { kind: "build", nixpkgs: null } });
    let loops: Loops | undefined;
    t.teardown(() => {
      spawnSync("nsenter", ["--mount", "--target", pid, "--", "umount", "--recursive", target]);
      loops?.close();
      rmSync(directory, { recursive: true });
    });
    const images = layout.disks.map(({ binding, tableId, partitions }, index) => {
      const image = path.join(directory, `disk-${index + 1}`);
      holes(image, binding.sizeBytes);
      const step = steps.find(({ id }) => id === `table-${index + 1}`);
      if (step?.action.kind !== "run" || step.action.input === undefined)
        throw new Error("no table");
      if (!("text" in step.action.input)) throw new Error("no script");
      run([...step.action.argv.slice(0, -1), image], step.action.input.text);
      const read = readTable(image, binding.sizeBytes);
      t.equal(read.id, tableId, "the disk has the plan's own id");
      t.same(read.damage, null);
      t.same(
        read.entries.map(({ uuid, startBytes, sizeBytes, name }) => ({
          uuid,
          startBytes,
          sizeBytes,
          name,
        })),
        partitions.map(({ uuid, startBytes, sizeBytes, name }) => ({
          uuid,
          startBytes,
          sizeBytes,
          name,
        })),
      );
      t.match(run(["sgdisk", "--verify", image]), /No problems found/);
      t.same(
        byRepart(layout, index, directory),
        read.entries,
        "systemd-repart makes the same table",
      );
      return image;
    });

    loops = openLoops(layout, directory, images);
    const { devices } = loops;
    const isOf = (stage: Stage) => (step: InstallStep) => step.stage === stage;
    // Twice, as after a cut.
    for (const step of [...steps.filter(isOf("format")), ...steps.filter(isOf("format"))])
      perform(step, devices, target);
    for (const step of steps.filter(isOf("mount"))) perform(step, devices, target);

    for (const { uuid, on, name } of layout.encrypted) {
      const device = devices.get(devicePath(on)) ?? "";
      t.equal(blkid(device, "UUID"), uuid);
      t.equal(blkid(device, "LABEL"), name);
      t.match(run(["cryptsetup", "luksDump", device]), /Version:\s+2/);
      run(["cryptsetup", "open", "--test-passphrase", "--key-file", "-", device], passphrase);
      t.throws(() =>
        run(["cryptsetup", "open", "--test-passphrase", "--key-file", "-", device], "wrong"),
      );
      t.same(signatures(device), ["crypto_LUKS"]);
    }
    for (const { uuid, type, on } of layout.fileSystems) {
      const device = devices.get(devicePath(on)) ?? "";
      t.equal(blkid(device, "UUID"), uuid);
      t.equal(blkid(device, "TYPE"), type);
      t.same(
        signatures(device),
        [type === "ext4" ? "ext" : type],
        "and is recognised without blkid",
      );
      if (type === "vfat") run(["fsck.vfat", "-n", device]);
    }
    if (layout.swap !== null) {
      const device = devices.get(devicePath(layout.swap.on)) ?? "";
      t.equal(blkid(device, "UUID"), layout.swap.uuid);
      t.same(signatures(device), ["swap"]);
    }

    const said = storageOf(layout);
    const mounted = mountsBelow(target);
    t.same(
      Object.keys(said)
        .filter((each) => said[each]?.fsType !== "vfat")
        .sort(),
      [...mounted.keys()].sort(),
      "what is mounted is what NixOS is told",
    );
    for (const [place, { device, fsType, options = [] }] of Object.entries(said)) {
      if (fsType === "vfat") continue;
      const mount = mounted.get(place);
      if (fsType === "none")
        t.match(mount?.source, /\[.*\/lib\/kept/, `${place} is a second place`);
      else t.equal(mount?.fstype, fsType);
      if (device.startsWith("/dev/")) t.equal(`/dev/disk/by-uuid/${mount?.uuid}`, device, place);
      for (const option of options.filter((each) => /^(subvol|noatime)/.test(each)))
        t.ok(
          mount?.options.split(",").some((each) => each.replace("=/", "=") === option),
          `${place} has ${option}, and ${mount?.options}`,
        );
    }
  });
}

t.test(
  "a home is kept, and everything else made anew",
  { skip: !isRoot && "needs root" },
  async (t) => {
    const directory = mkdtempSync(path.join(tmpdir(), "firstlight-keep-"));
    const target = path.join(directory, "mnt");
    mkdirSync(target);
    let loops: Loops | undefined;
    t.teardown(() => {
      spawnSync("nsenter", ["--mount", "--target", pid, "--", "umount", "--recursive", target]);
      loops?.close();
      rmSync(directory, { recursive: true });
    });
    for (const name of ["plain", "encrypted"] as const) {
      const wishes = {
        name,
        fileSystem: "ext4",
        swap: "zram",
        home: "partition",
        espMebibytes: 1024,
      } as const;
      const first = sampleLayout(wishes);
      const [disk] = first.disks;
      if (disk === undefined) return t.fail("no disk");
      const image = path.join(directory, name);
      holes(image, disk.binding.sizeBytes);
      const stepsOf = (layout: Layout) =>
        installSteps({
          layout,
          sources: { digest: "d".repeat(64) },
          system: { kind: "build", nixpkgs: null },
        });
      const made = stepsOf(first);
      const table = made.find(({ id }) => id === "table-1");
      if (table?.action.kind !== "run" || !("text" in (table.action.input ?? {})))
        return t.fail("no table");
      run(
        [...table.action.argv.slice(0, -1), image],
        (table.action.input as { text: string }).text,
      );
      loops = openLoops(first, directory, [image]);
      const { devices } = loops;
      const doSteps = (steps: readonly InstallStep[]) => {
        for (const step of steps)
          if (step.stage === "format" || step.stage === "mount") perform(step, devices, target);
      };
      doSteps(made);
      writeFileSync(path.join(inside(target), "home/letter"), "to be kept");
      writeFileSync(path.join(inside(target), "letter"), "not to be kept");
      run(["umount", "--recursive", target]);
      const luksHome =
        name === "encrypted"
          ? blkid(devices.get(devicePath(first.encrypted[1]?.on ?? { array: "" })) ?? "", "UUID")
          : "";

      const content = contentOf(image, disk.binding.sizeBytes);
      const asked = wishesOfKept(content, { ...wishes, name: "plain", home: "root" });
      t.equal(asked.name, name, "what stands on the disk says how it is laid out");
      const ground = {
        disks: [disk.binding],
        memoryBytes: null,
        seed: "6eed5eed-5eed-4eed-8eed-5eed5eed5eed",
      };
      const kept = keepHome(asked, ground, content);
      const steps = stepsOf(kept);
      t.notMatch(
        JSON.stringify(steps),
        /sfdisk|mkfs\.vfat/,
        "neither the table nor the ESP is written",
      );
      doSteps(steps);
      t.equal(readFileSync(path.join(inside(target), "home/letter"), "utf8"), "to be kept");
      t.notOk(existsSync(path.join(inside(target), "letter")));
      const root = kept.fileSystems.find(({ role }) => role === "root");
      t.equal(blkid(devices.get(devicePath(root?.on ?? { array: "" })) ?? "", "UUID"), root?.uuid);
      if (name === "encrypted")
        t.equal(
          blkid(devices.get(devicePath(first.encrypted[1]?.on ?? { array: "" })) ?? "", "UUID"),
          luksHome,
        );
      t.equal(
        storageOf(kept)["/home"]?.device,
        name === "plain" ? partitionPath(disk.partitions[2]?.uuid ?? "") : "/dev/mapper/crypthome",
      );
      const entries = content.table.entries.slice(0, 2);
      const without = { ...content, table: { ...content.table, entries } };
      t.throws(() => wishesOfKept(without, wishes), { code: "install/nothing-to-keep" });
      if (name === "plain")
        t.throws(() => wishesOfKept(content, { ...wishes, fileSystem: "xfs" }), {
          code: "install/nothing-to-keep",
        });
      run(["umount", "--recursive", target]);
      loops.close();
      loops = undefined;
    }
  },
);

/** What a witness reads from a disk. */
function contentOf(image: string, size: number): DiskContent {
  const device = hostFiles("/", () => {}).open(image);
  try {
    const table = readPartitionTable(device.read, { size, sectorBytes: 512 });
    const partitions = table.entries.map(({ number, startBytes, sizeBytes }) => [
      String(number),
      findSignatures(
        (at, length) => device.read(startBytes + at, Math.max(0, Math.min(length, sizeBytes - at))),
        sizeBytes,
      ),
    ]);
    return {
      ...{ table, signatures: [], isBlank: false, tableHash: "", isHeld: null },
      partitions: Object.fromEntries(partitions),
    };
  } finally {
    device.close();
  }
}

interface Said {
  readonly device: string;
  readonly fsType: string;
  readonly options?: readonly string[];
}

/** `fileSystems` of the rendered module. */
function storageOf(layout: Layout): Readonly<Record<string, Said>> {
  const module = readPrinted(storageModule(layout).content);
  const body = module.kind === "lambda" ? module.body : module;
  const entries = body.kind === "attrs" ? body.entries : [];
  for (const entry of entries) {
    if (entry.kind === "binding" && entry.path.join(".") === "fileSystems")
      return toData(entry.value) as unknown as Readonly<Record<string, Said>>;
  }
  throw new Error("no fileSystems");
}

interface Mounted {
  readonly target: string;
  readonly source: string;
  readonly fstype: string;
  readonly uuid: string | null;
  readonly options: string;
}

function mountsBelow(target: string): ReadonlyMap<string, Mounted> {
  const columns = "TARGET,SOURCE,FSTYPE,UUID,OPTIONS";
  const { filesystems } = JSON.parse(run(["findmnt", "--json", "--list", "--output", columns])) as {
    readonly filesystems: readonly Mounted[];
  };
  const below = filesystems.filter(
    (each) => each.target === target || each.target.startsWith(`${target}/`),
  );
  return new Map(below.map((each) => [each.target.slice(target.length) || "/", each]));
}

function readTable(image: string, size: number) {
  const device = hostFiles("/", () => {}).open(image);
  try {
    return readPartitionTable(device.read, { size, sectorBytes: 512 });
  } finally {
    device.close();
  }
}

/** The table that systemd-repart makes of its definitions, on a disk of the same size. */
function byRepart(layout: Layout, index: number, directory: string) {
  const image = path.join(directory, `repart-${index + 1}`);
  const size = layout.disks[index]?.binding.sizeBytes ?? 0;
  holes(image, size);
  for (const { path: file, content } of repartDefinitions(layout)) {
    const place = path.join(directory, "repart.d", file);
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(place, content);
  }
  const definitions = path.join(directory, "repart.d", `disk-${index + 1}`);
  run([
    "systemd-repart",
    "--dry-run=no",
    "--empty=force",
    "--no-pager",
    `--definitions=${definitions}`,
    image,
  ]);
  return readTable(image, size).entries;
}

function blkid(device: string, tag: string): string {
  return run(["blkid", "--probe", "--match-tag", tag, "--output", "value", device]).trim();
}

function signatures(device: string): readonly string[] {
  const opened = hostFiles("/", () => {}).open(device);
  try {
    return findSignatures(opened.read, opened.size);
  } finally {
    opened.close();
  }
}

t.test("no test is without what it needs", async (t) => {
  for (const tool of ["/usr/sbin/sgdisk", "/usr/bin/systemd-repart", "/usr/sbin/cryptsetup"])
    t.ok(existsSync(tool) || existsSync(tool.replace("/usr/sbin", "/sbin")), tool);
  t.ok(readFileSync("/proc/filesystems", "utf8").includes("btrfs"));
});
