import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { findRootStack } from "./root-stack.ts";

interface Described {
  /** Lines of mountinfo from the device's number on. */
  readonly mounts: readonly string[];
  /** What is built on partitions: the device with what it lies on. */
  readonly above?: Readonly<Record<string, readonly string[]>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
}

/** Two disks with two partitions each, and what lies on them. */
function find(t: { testdir(): string }, { mounts, above = {}, files = {}, links = {} }: Described) {
  const directory = t.testdir();
  const place = (file: string) => {
    mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
    return path.join(directory, file);
  };
  const device = (name: string, at: string) => {
    mkdirSync(place(`/sys/devices/${at}/slaves`), { recursive: true });
    symlinkSync(`../../devices/${at}`, place(`/sys/class/block/${name}`));
    writeFileSync(place(`/dev/${name}`), "");
  };
  for (const disk of ["sda", "sdb"]) {
    device(disk, `pci/${disk}`);
    for (const number of [1, 2]) {
      device(`${disk}${number}`, `pci/${disk}/${disk}${number}`);
      writeFileSync(place(`/sys/devices/pci/${disk}/${disk}${number}/partition`), `${number}\n`);
    }
  }
  for (const [name, below] of Object.entries(above)) {
    device(name, `virtual/block/${name}`);
    for (const each of below)
      writeFileSync(place(`/sys/devices/virtual/block/${name}/slaves/${each}`), "");
  }
  const lines = mounts.map((line, index) => `${index + 30} 1 ${line}\n`);
  writeFileSync(place("/proc/self/mountinfo"), lines.join(""));
  for (const [file, text] of Object.entries(files)) writeFileSync(place(file), text);
  for (const [file, target] of Object.entries(links)) symlinkSync(target, place(file));
  return findRootStack(fakeIo(directory).files);
}

const mapped = (name: string, uuid: string, called = name) => ({
  [`/sys/devices/virtual/block/${name}/dm/uuid`]: `${uuid}\n`,
  [`/sys/devices/virtual/block/${name}/dm/name`]: `${called}\n`,
});

const cases: readonly (readonly [string, Described, object])[] = [
  [
    "a partition lies on its disk",
    { mounts: ["8:2 / / rw - ext4 /dev/sda2 rw"] },
    { disks: ["sda"], layers: [], untold: [] },
  ],
  [
    "what the initial RAM disk does not mount is nothing to it",
    {
      mounts: [
        "8:2 / / rw - ext4 /dev/sda2 rw",
        "8:17 / /boot rw - vfat /dev/sdb1 rw",
        "8:18 / /home rw - ext4 /dev/sdb2 rw",
      ],
    },
    { disks: ["sda"], layers: [], untold: [] },
  ],
  [
    "a root in memory needs no disk, and its store does",
    { mounts: ["0:20 / / rw - tmpfs none rw", "8:18 / /nix rw - ext4 /dev/sdb2 rw"] },
    { disks: ["sdb"], layers: [], untold: [] },
  ],
  [
    "a volume in an encrypted partition",
    {
      mounts: ["254:1 / / rw - ext4 /dev/dm-1 rw"],
      above: { "dm-0": ["sda2"], "dm-1": ["dm-0"] },
      files: { ...mapped("dm-0", "CRYPT-LUKS2-00-root"), ...mapped("dm-1", "LVM-aabb") },
    },
    { disks: ["sda"], layers: ["dm_crypt", "dm_mod"], untold: [] },
  ],
  [
    "a thin volume with a cache, on several paths",
    {
      mounts: ["254:3 / / rw - ext4 /dev/dm-3 rw"],
      above: { "dm-0": ["sda", "sdb"], "dm-1": ["dm-0"], "dm-2": ["dm-1"], "dm-3": ["dm-2"] },
      files: {
        ...mapped("dm-0", "mpath-36005"),
        ...mapped("dm-1", "LVM-aa", "vg-fast_cdata"),
        ...mapped("dm-2", "LVM-aa-tpool", "vg-pool-tpool"),
        ...mapped("dm-3", "LVM-bb", "vg-root"),
      },
    },
    {
      disks: ["sda", "sdb"],
      layers: ["dm_cache", "dm_cache_smq", "dm_mod", "dm_multipath", "dm_thin_pool"],
      untold: [],
    },
  ],
  [
    "a mirror of LVM, and one of the kernel's own",
    {
      mounts: ["254:1 / / rw - ext4 /dev/dm-1 rw", "9:0 / /var rw - ext4 /dev/md0 rw"],
      above: { "dm-0": ["sda2"], "dm-1": ["dm-0"], md0: ["sda1", "sdb1"] },
      files: {
        ...mapped("dm-0", "LVM-aa", "vg-root_rimage_0"),
        ...mapped("dm-1", "LVM-aa", "vg-root"),
        "/sys/devices/virtual/block/md0/md/level": "raid1\n",
      },
    },
    { disks: ["sda", "sdb"], layers: ["dm_mod", "dm_raid", "md_mod", "raid1"], untold: [] },
  ],
  [
    "RAID 6 has the module of RAID 4 to 6, and a cache of bcache its own",
    {
      mounts: ["252:0 / / rw - ext4 /dev/bcache0 rw"],
      above: { bcache0: ["md0"], md0: ["sda1", "sdb1"] },
      files: { "/sys/devices/virtual/block/md0/md/level": "raid6\n" },
    },
    { disks: ["sda", "sdb"], layers: ["bcache", "md_mod", "raid456"], untold: [] },
  ],
  [
    "btrfs lies on all of its devices, and the kernel tells of one",
    {
      mounts: ["0:31 /@ / rw - btrfs /dev/sda2 rw,subvol=/@"],
      files: {
        "/sys/fs/btrfs/1111/devices/sda2": "",
        "/sys/fs/btrfs/1111/devices/sdb2": "",
      },
    },
    { disks: ["sda", "sdb"], layers: [], untold: [] },
  ],
  [
    "bcachefs names all of its devices",
    { mounts: ["0:31 / / rw - bcachefs /dev/sda2:/dev/sdb1 rw"] },
    { disks: ["sda", "sdb"], layers: [], untold: [] },
  ],
  [
    "a root that the kernel mounted itself is known by its number",
    {
      mounts: ["8:2 / / rw - ext4 /dev/root rw"],
      links: { "/sys/dev/block/8:2": "../../devices/pci/sda/sda2" },
    },
    { disks: ["sda"], layers: [], untold: [] },
  ],
  [
    "nothing tells the disks of ZFS",
    { mounts: ["0:31 / / rw - zfs rpool/root rw"] },
    { disks: [], layers: [], untold: [{ path: "/", type: "zfs" }] },
  ],
  [
    "a root from the network has none",
    { mounts: ["0:31 / / rw - nfs4 192.0.2.1:/export rw"] },
    { disks: [], layers: [], untold: [] },
  ],
];

for (const [sentence, described, found] of cases) {
  t.test(sentence, async (t) => t.same(find(t, described), found));
}

t.test("a directory that stands for a machine and tells no mounts tells nothing", async (t) => {
  t.equal(findRootStack(fakeIo(t.testdir()).files), null);
});
