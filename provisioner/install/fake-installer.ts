import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { type FakeIo, type FakeProgram, fakeIo } from "#core/fake-io.ts";
import { hostFiles } from "#core/host-files.ts";
import { Secret } from "#core/secret.ts";
import type { BlockDevice } from "#generated/provisioner/facts/facts.ts";
import { chooseDisk } from "./choose-disk.ts";
import type { DiskReport } from "./disk-report.ts";
import { type FakeDisk, factsOfDisk, putDisks } from "./fake-disks.ts";
import type { LayoutWishes } from "./layout.ts";
import { disksOf, leastDiskBytes, makeLayout } from "./make-layout.ts";
import { readPartitionTable } from "./partition-table.ts";
import { type InstallPlan, makePlan } from "./plan.ts";
import { readDiskReport } from "./read-disk-report.ts";
import { sampleSeed } from "./sample-layouts.ts";

const gibibyte = 1024 ** 3;
const memoryBytes = 4 * gibibyte;

/**
 * For tests: a machine whose programs do to files what the real ones do to disks, and refuse what those
 * refuse. Partition tables are real, by sfdisk. What is on a device is kept beside it, and shows where
 * it is mounted; a power cut takes everything but that away.
 */
export interface FakeInstaller {
  readonly root: string;
  readonly plan: InstallPlan;
  readonly passphrase: Secret<string>;
  readReport(): Promise<DiskReport>;
  io(onEffect?: (number: number, name: string) => void): FakeIo;
  /** What is gone with the power: mounts, mappings, arrays. */
  cutPower(): void;
  /** What each device holds, by words that say how it came there. */
  contents(): Readonly<Record<string, string>>;
}

export async function fakeInstaller(root: string, wishes: LayoutWishes): Promise<FakeInstaller> {
  const fakes = Array.from(
    { length: disksOf(wishes) },
    (_, index): FakeDisk => ({
      name: `nvme${index}n1`,
      ...{ id: `nvme-Fake_S${index}`, sizeBytes: 34 * gibibyte },
    }),
  );
  putDisks(root, fakes);
  const at = (file: string) => path.join(root, file);
  const cellar = at(".contents");
  mkdirSync(cellar);
  mkdirSync(at("dev/disk/by-partuuid"), { recursive: true });
  const mountinfo = at("proc/self/mountinfo");

  /** The device that a path leads to, by its name: `nvme0n1p2`, `dm-firstlight-cryptroot`. */
  const nameOf = (device: string) => {
    if (!existsSync(at(device))) throw new Refused(`${device}: no such device`);
    const real = realpathSync(at(device));
    return path.relative(at("dev"), real).replaceAll("/", "-");
  };
  const contentOf = (device: string) => path.join(cellar, nameOf(device));
  const stateOf = (device: string) => {
    const file = path.join(contentOf(device), "state");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  };
  const make = (device: string, state: string) => {
    if (mounts().some(({ from }) => from === nameOf(device)))
      throw new Refused(`${device} is mounted`);
    rmSync(contentOf(device), { recursive: true, force: true });
    mkdirSync(path.join(contentOf(device), "tree"), { recursive: true });
    writeFileSync(path.join(contentOf(device), "state"), state);
  };
  const mounts = () =>
    readFileSync(mountinfo, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [head = "", tail = ""] = line.split(" - ");
        return {
          line,
          place: head.split(" ")[4] ?? "",
          from: (tail.split(" ")[1] ?? "").replace("/dev/", ""),
        };
      });
  /** Mounted is what stands in its place; what was there before waits aside. */
  const mount = (source: string, place: string, from: string) => {
    if (mounts().some((each) => each.place === place))
      throw new Refused(`${place}: already mounted`);
    if (!existsSync(at(place))) throw new Refused(`${place}: no such directory`);
    mkdirSync(source, { recursive: true });
    renameSync(at(place), `${at(place)}.under`);
    // Relative, so that it is the same for the machine and for this host.
    symlinkSync(path.relative(realpathSync(path.dirname(at(place))), source), at(place));
    appendFileSync(mountinfo, `30 1 0:30 / ${place} rw - fake /dev/${from} rw\n`);
  };
  const unmount = (place: string) => {
    const all = mounts();
    for (const each of all
      .filter((each) => each.place === place || each.place.startsWith(`${place}/`))
      .toReversed()) {
      rmSync(at(each.place));
      renameSync(`${at(each.place)}.under`, at(each.place));
    }
    const left = all.filter((each) => each.place !== place && !each.place.startsWith(`${place}/`));
    writeFileSync(mountinfo, left.map(({ line }) => `${line}\n`).join(""));
  };
  const last = (args: readonly string[], back = 1) => args.at(-back) ?? "";
  const after = (args: readonly string[], flag: string) => args[args.indexOf(flag) + 1] ?? "";

  const programs: Record<string, FakeProgram> = {
    sfdisk({ args, stdin }) {
      const device = at(`dev/${nameOf(last(args))}`);
      writeTable(device, args.slice(0, -1), String(stdin));
      for (const name of partitionsOf(device)) {
        writeFileSync(at(`dev/${name.node}`), "");
        make(`/dev/${name.node}`, "");
        rmSync(at(`dev/disk/by-partuuid/${name.uuid}`), { force: true });
        symlinkSync(`../../${name.node}`, at(`dev/disk/by-partuuid/${name.uuid}`));
      }
      return {};
    },
    udevadm: () => ({}),
    mkfs: ({ file, args }) => {
      make(last(args), file.replace("mkfs.", ""));
      return {};
    },
    wipefs: ({ args }) => {
      make(last(args), "");
      return {};
    },
    mkswap: ({ args }) => {
      make(last(args), "swap");
      return {};
    },
    mdadm({ args }) {
      const [verb = "", array = ""] = args;
      const members = args.filter((each) => each.startsWith("/dev/disk"));
      if (verb === "--stop") {
        rmSync(at(array));
        return {};
      }
      if (verb === "--create") for (const each of members) make(each, "array");
      if (members.some((each) => stateOf(each) !== "array")) throw new Refused("no superblock");
      mkdirSync(path.dirname(at(array)), { recursive: true });
      writeFileSync(at(array), "");
      if (verb === "--create") make(array, "");
      return {};
    },
    cryptsetup({ args, stdin }) {
      const [verb = ""] = args;
      if (verb === "close") {
        const mapper = `/dev/mapper/${last(args)}`;
        if (mounts().some(({ from }) => from === nameOf(mapper))) throw new Refused("in use");
        rmSync(at(mapper));
        return {};
      }
      if (verb === "luksFormat") {
        make(last(args), `luks ${String(stdin)}`);
        return {};
      }
      const state = stateOf(last(args, 2));
      if (!state.startsWith("luks ")) throw new Refused("not a LUKS device");
      if (state !== `luks ${String(stdin)}`) return { code: 2 };
      mkdirSync(at("dev/mapper"), { recursive: true });
      writeFileSync(at(`dev/mapper/${last(args)}`), "");
      return {};
    },
    mount({ args }) {
      const place = last(args);
      if (args.includes("--bind")) {
        mount(realpathSync(at(last(args, 2))), place, "bind");
      } else if (/^(proc|tmpfs)$/.test(after(args, "-t")) || args.includes("--rbind")) {
        // Memory, which no power cut leaves anything of.
        mount(path.join(cellar, `memory${place.replaceAll("/", "-")}`), place, "memory");
      } else {
        const device = last(args, 2);
        if (stateOf(device) !== after(args, "-t"))
          throw new Refused(`${device}: wrong fs type, it is ${stateOf(device)}`);
        const [, subvolume = ""] = /subvol=([a-z]+)/.exec(args.join(" ")) ?? [];
        const tree = path.join(contentOf(device), "tree", subvolume);
        if (!existsSync(tree)) throw new Refused(`${subvolume}: no such subvolume`);
        mount(tree, place, nameOf(device));
      }
      return {};
    },
    umount({ args }) {
      unmount(last(args));
      return {};
    },
    btrfs({ args }) {
      if (existsSync(at(last(args))))
        throw new Refused(`target path already exists: ${last(args)}`);
      mkdirSync(at(last(args)));
      return {};
    },
    "nix-env"({ args }) {
      const configuration = /nixos-config=(\S+)/.exec(args.join(" "))?.[1] ?? "";
      if (!existsSync(at(configuration))) throw new Refused(`${configuration}: no such file`);
      put("/mnt/nix/var/nix/profiles/system/activate", readFileSync(at(configuration), "utf8"));
      return {};
    },
    chroot({ args, env }) {
      if (!existsSync(at("/mnt/nix/var/nix/profiles/system/activate")))
        throw new Refused("no system");
      for (const place of ["proc", "sys", "dev", "run"])
        if (!mounts().some((each) => each.place === `/mnt/${place}`))
          throw new Refused(`no /${place}`);
      if (!existsSync(at("/mnt/etc/NIXOS"))) throw new Refused("This is not a NixOS installation!");
      if (last(args) !== "boot") put("/mnt/etc/passwd", "root");
      else if (env?.["NIXOS_INSTALL_BOOTLOADER"] !== "1")
        throw new Refused("no boot loader asked for");
      else put("/mnt/boot/EFI/BOOT/BOOTX64.EFI", "boot loader");
      return {};
    },
    sync: () => ({}),
  };
  const put = (file: string, text: string) => {
    mkdirSync(path.dirname(at(file)), { recursive: true });
    writeFileSync(at(file), text);
  };

  const all = Object.fromEntries(
    [...Object.keys(programs), ...["vfat", "ext4", "xfs", "btrfs"].map((type) => `mkfs.${type}`)]
      .filter((name) => name !== "mkfs")
      .map((name): [string, FakeProgram] => [
        name,
        (request) => {
          if (request.args[0] === "--version") return {};
          const program = programs[name] ?? programs["mkfs"];
          try {
            return program?.(request) ?? {};
          } catch (error) {
            if (error instanceof Refused) return { code: 1, stderr: error.message };
            throw error;
          }
        },
      ]),
  );

  const facts = () =>
    fakes.map((fake): BlockDevice => {
      const partitions = partitionsOf(at(`dev/${fake.name}`)).map(
        ({ node, number, sizeBytes }) => ({
          ...{ name: node, number, sizeBytes, type: null, signature: signatureOf(node) },
        }),
      );
      return { ...factsOfDisk(fake), partitions };
    });
  /** As blkid would call it. */
  const signatureOf = (node: string) => {
    const file = path.join(cellar, node, "state");
    const [word = ""] = (existsSync(file) ? readFileSync(file, "utf8") : "").split(" ");
    const names: Record<string, string> = { luks: "crypto_LUKS", array: "linux_raid_member" };
    return word === "" ? "none" : (names[word] ?? word);
  };
  const lsblk: FakeProgram = () => ({
    stdout: JSON.stringify({
      blockdevices: facts().map(({ name, sizeBytes, partitions, byId }) => ({
        ...{
          name,
          type: "disk",
          size: sizeBytes,
          rm: false,
          ro: false,
          tran: "nvme",
          serial: byId[0],
        },
        children: partitions.map((each) => ({
          name: each.name,
          type: "part",
          size: each.sizeBytes,
        })),
      })),
    }),
  });
  /** What stands on the partitions is beside them; a reader of the disk itself finds it all the same. */
  const readReport = async (): Promise<DiskReport> => {
    const report = await readDiskReport(fakeIo(root, { lsblk }), facts());
    const content = Object.entries(report.content).map(([name, each]) => {
      if (each === null) return [name, each];
      const partitions = each.table.entries.map(({ number }) => {
        const signature = signatureOf(`${name}p${number}`);
        const plain = signature === "ext4" ? "ext" : signature;
        return [String(number), plain === "none" ? [] : [plain]];
      });
      return [name, { ...each, partitions: Object.fromEntries(partitions) }];
    });
    return { ...report, content: Object.fromEntries(content) };
  };

  const first = await readReport();
  const request = {
    count: disksOf(wishes),
    transports: null,
    minBytes: leastDiskBytes(wishes, memoryBytes),
  };
  const choice = chooseDisk(first, { ...request, named: [] });
  if (choice.kind === "refused") throw new Error(choice.message);
  const layout = makeLayout(wishes, { disks: choice.disks, memoryBytes, seed: sampleSeed });
  const plan = makePlan({
    machine: { product: "Fake", profile: null, confidence: "none" },
    ...{ reasons: [], remarks: [], request, layout, warnings: [], verdicts: choice.verdicts },
    sources: {
      digest: "c".repeat(64),
      files: [{ path: "configuration.nix", content: "{ }\n", mode: 0o644 }],
    },
    system: { kind: "build", nixpkgs: null },
  });
  return {
    ...{ root, plan, readReport },
    passphrase: new Secret("correct horse"),
    io: (onEffect) => fakeIo(root, all, onEffect === undefined ? {} : { onEffect }),
    cutPower() {
      for (const { place } of mounts().toReversed()) if (place !== "/") unmount(place);
      for (const name of ["dev/mapper", "dev/md", "mnt", "var", ".contents/memory"])
        rmSync(at(name), { recursive: true, force: true });
      for (const name of execFileSync("ls", [cellar], { encoding: "utf8" }).split("\n"))
        if (name.startsWith("memory")) rmSync(path.join(cellar, name), { recursive: true });
    },
    contents() {
      const found: Record<string, string> = {};
      const list = execFileSync("find", [cellar, "-type", "f"], { encoding: "utf8" }).trim();
      for (const file of list.split("\n").filter(Boolean).sort()) {
        const name = path.relative(cellar, file);
        if (!name.includes("journal.jsonl")) found[name] = readFileSync(file, "utf8");
      }
      return found;
    },
  };
}

class Refused extends Error {}

const mebibyte = 1024 * 1024;
/** What sfdisk has written for a script: it takes its time, which one table needs once. */
const tables = new Map<string, readonly [Buffer, Buffer]>();

function writeTable(image: string, args: readonly string[], script: string): void {
  const fd = openSync(image, "r+");
  try {
    const { size } = fstatSync(fd);
    const known = tables.get(script);
    if (known === undefined) {
      execFileSync("sfdisk", [...args, image], { input: script, stdio: "pipe" });
      const ends = [Buffer.alloc(mebibyte), Buffer.alloc(mebibyte)] as const;
      readSync(fd, ends[0], 0, mebibyte, 0);
      readSync(fd, ends[1], 0, mebibyte, size - mebibyte);
      tables.set(script, ends);
    } else {
      writeSync(fd, known[0], 0, mebibyte, 0);
      writeSync(fd, known[1], 0, mebibyte, size - mebibyte);
    }
  } finally {
    closeSync(fd);
  }
}

interface Part {
  readonly node: string;
  readonly number: number;
  readonly uuid: string;
  readonly sizeBytes: number;
}

function partitionsOf(image: string): readonly Part[] {
  const device = hostFiles("/", () => {}).open(image);
  try {
    const { entries } = readPartitionTable(device.read, { size: device.size, sectorBytes: 512 });
    const name = path.basename(image);
    return entries.map(({ number, uuid, sizeBytes }) => ({
      ...{ node: `${name}p${number}`, number, uuid, sizeBytes },
    }));
  } finally {
    device.close();
  }
}
