import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";
import type { Platform } from "./base.ts";
import { findPlatform } from "./find-platform.ts";
import { fileOf, tryRender } from "./try-render.ts";

type Disk = NonNullable<Facts["blockDevices"]>[number];

interface Described {
  /** Lines of mountinfo without their first two numbers. */
  readonly mounts: readonly string[];
  readonly swaps?: readonly string[];
  /** Partitions and what is built on them: the name with its place below `/sys/devices`. */
  readonly blocks?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly firmware?: "uefi" | "bios" | "device-tree";
  readonly disks?: readonly Partial<Disk>[];
}

/** Two disks; the second is the one that the machine boots from. */
const blocks = {
  sda: "a/sda",
  sda1: "a/sda/sda1",
  vdb: "b/vdb",
  vdb1: "b/vdb/vdb1",
  vdb2: "b/vdb/vdb2",
  vdb3: "b/vdb/vdb3",
};
const disks = [
  { name: "sda", removable: false, byId: ["ata-first"] },
  { name: "vdb", removable: false, byId: ["virtio-second"] },
];
const root = "254:18 / / rw,relatime shared:1 - ext4 /dev/vdb2 rw";
const esp =
  "254:17 / /boot rw,relatime shared:2 - vfat /dev/vdb1 rw,fmask=0077,dmask=0077,codepage=437";

function find(t: { testdir(): string }, described: Described): Platform {
  const directory = t.testdir();
  const place = (file: string) => {
    mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
    return path.join(directory, file);
  };
  const lines = described.mounts.map((line, index) => `${index + 30} 1 ${line}\n`);
  writeFileSync(place("/proc/self/mountinfo"), lines.join(""));
  const swaps = (described.swaps ?? []).map((name) => `${name} partition 8388604 0 -2\n`);
  writeFileSync(place("/proc/swaps"), `Filename Type Size Used Priority\n${swaps.join("")}`);
  for (const [name, at] of Object.entries({ ...blocks, ...described.blocks })) {
    mkdirSync(place(`/sys/devices/${at}/slaves`), { recursive: true });
    if (/^[sv]d[ab][0-9]$/.test(name)) writeFileSync(place(`/sys/devices/${at}/partition`), "1\n");
    symlinkSync(`../../devices/${at}`, place(`/sys/class/block/${name}`));
    writeFileSync(place(`/dev/${name}`), "");
  }
  for (const [file, text] of Object.entries(described.files ?? {}))
    writeFileSync(place(file), text);
  for (const [file, target] of Object.entries(described.links ?? {}))
    symlinkSync(target, place(file));
  const facts = genericFacts("x86_64");
  return findPlatform(fakeIo(directory).files, {
    ...facts,
    firmware: { ...facts.firmware, type: described.firmware ?? "bios" },
    blockDevices: (described.disks ?? disks) as unknown as Facts["blockDevices"],
  });
}

t.test("a machine without a configuration stands on what is mounted on it", async (t) => {
  const platform = find(t, {
    firmware: "uefi",
    mounts: [
      "254:1 / / rw - ext4 /dev/old rw",
      "22 / /proc rw - proc proc rw",
      "0:5 / /dev rw - devtmpfs devtmpfs rw",
      root,
      esp,
      "254:18 /nix/store /nix/store ro,relatime - ext4 /dev/vdb2 rw",
      "8:1 / /home rw,nosuid,noatime shared:4 - xfs /dev/sda1 rw,attr2,inode64,logbufs=8",
      "8:1 /srv /srv/my\\040files rw,noatime - xfs /dev/sda1 rw,attr2",
      "0:40 / /tmp rw - tmpfs tmpfs rw",
      "0:41 / /run/media/x rw - ext4 /dev/sda1 rw",
    ],
    swaps: ["/dev/vdb3", "/dev/zram0", "/home/swap\\040file"],
    links: { "/dev/disk/by-uuid/0001": "../../vdb2", "/dev/disk/by-label/swap": "../../vdb3" },
  });
  t.same(platform, {
    fileSystems: [
      { path: "/", device: "/dev/disk/by-uuid/0001", type: "ext4", options: [] },
      { path: "/boot", device: "/dev/vdb1", type: "vfat", options: ["fmask=0077", "dmask=0077"] },
      { path: "/home", device: "/dev/sda1", type: "xfs", options: ["nosuid", "noatime"] },
      {
        path: "/srv/my files",
        device: "/home/srv",
        type: "none",
        options: ["bind", "noatime"],
      },
    ],
    swaps: ["/dev/disk/by-label/swap", "/home/swap file"],
    left: [],
    bootLoader: "systemd-boot",
    esp: "/boot",
  });
});

t.test("subvolumes are mounted by their name, and stored as they are", async (t) => {
  const btrfs = (subvolume: string, at: string) =>
    `0:28 /${subvolume} ${at} rw,noatime - btrfs /dev/vdb2 rw,compress=zstd:3,ssd,space_cache=v2,subvolid=256,subvol=/${subvolume}`;
  const { fileSystems } = find(t, {
    mounts: [
      btrfs("@", "/"),
      btrfs("@home", "/home"),
      "0:28 /@/data /data rw,noatime - btrfs /dev/vdb2 rw,ssd,subvol=/@",
      "0:28 / /all rw - btrfs /dev/vdb2 rw,subvolid=5,subvol=/",
    ],
  });
  const of = (place: string) => fileSystems.find((each) => each.path === place);
  t.match(of("/"), { options: ["noatime", "compress=zstd:3", "subvol=/@"] });
  t.match(of("/home"), { options: ["noatime", "compress=zstd:3", "subvol=/@home"] });
  t.match(of("/data"), { device: "/data", type: "none", options: ["bind", "noatime"] });
  t.same(of("/all")?.options, []);
});

t.test("GRUB is installed to the disk that it is read from, whatever comes first", async (t) => {
  const onSecond = { grub: "/dev/disk/by-id/virtio-second" };
  t.same(find(t, { mounts: [root] }).bootLoader, onSecond);
  const boot = "254:17 / /boot rw - ext4 /dev/vdb1 rw";
  const mounts = ["8:1 / / rw - ext4 /dev/sda1 rw", boot];
  t.same(find(t, { mounts }).bootLoader, onSecond, "/boot, where it has a place of its own");
  t.same(find(t, { mounts: [root], disks: [] }).bootLoader, { grub: "/dev/vdb" });
  const lvm = {
    mounts: ["253:0 / / rw - ext4 /dev/mapper/vg-root rw"],
    blocks: { "dm-0": "virtual/dm-0" },
    files: { "/sys/devices/virtual/dm-0/dm/uuid": "LVM-0001\n" },
    links: {
      "/dev/mapper/vg-root": "../dm-0",
      "/sys/devices/virtual/dm-0/slaves/vdb2": "../../../b/vdb/vdb2",
    },
  };
  t.same(find(t, lvm).bootLoader, onSecond, "below LVM");
  const second = { "/sys/devices/virtual/dm-0/slaves/sda1": "../../../a/sda/sda1" };
  t.throws(() => find(t, { ...lvm, links: { ...lvm.links, ...second } }), {
    code: "base/platform",
    message: /lies on several disks \(sda, vdb\)/,
  });
});

t.test("what a system needs to boot and nothing tells is refused", async (t) => {
  const mapped = (uuid: string): Described => ({
    mounts: ["253:1 / / rw - ext4 /dev/mapper/vg-root rw"],
    blocks: { "dm-0": "virtual/dm-0", "dm-1": "virtual/dm-1" },
    files: {
      "/sys/devices/virtual/dm-0/dm/uuid": `${uuid}\n`,
      "/sys/devices/virtual/dm-1/dm/uuid": "LVM-0001\n",
    },
    links: {
      "/dev/mapper/vg-root": "../dm-1",
      "/sys/devices/virtual/dm-1/slaves/dm-0": "../../dm-0",
      "/sys/devices/virtual/dm-0/slaves/vdb2": "../../../b/vdb/vdb2",
    },
  });
  const raid: Described = {
    mounts: ["9:0 / / rw - ext4 /dev/md0 rw"],
    blocks: { md0: "virtual/md0" },
    files: { "/sys/devices/virtual/md0/md/level": "raid1\n" },
  };
  const refused: readonly (readonly [string, Described, RegExp])[] = [
    ["a root on LUKS below LVM", mapped("CRYPT-LUKS2-0001-x"), /^\/ is encrypted/],
    ["a root on RAID", raid, /^\/ lies on a software RAID/],
    ["a root on ZFS", { mounts: ["0:30 / / rw - zfs rpool/root rw"] }, /^\/ is zfs/],
    ["a root in memory", { mounts: ["0:30 / / rw - tmpfs tmpfs rw"] }, /^\/ is tmpfs/],
    [
      "a /var over the network",
      { mounts: [root, "0:30 / /var rw - nfs4 192.0.2.1:/v rw"] },
      /^\/var comes over the network/,
    ],
    ["nothing at all", { mounts: [] }, /nothing tells what \/ is mounted from/],
    ["a disk that is not there", { mounts: ["1:1 / / rw - ext4 /dev/x rw"] }, /the disk of \//],
    ["UEFI without its partition", { mounts: [root], firmware: "uefi" }, /EFI system partition/],
  ];
  for (const [name, described, message] of refused) {
    await t.test(name, async (t) => {
      t.throws(() => find(t, described), { code: "base/platform", message });
    });
  }
  t.ok(find(t, mapped("LVM-0002")), "and LVM alone is not");
});

t.test("a directory that tells no mounts has no file systems", async (t) => {
  const directory = t.testdir();
  const platform = findPlatform(fakeIo(directory).files, genericFacts("x86_64"));
  t.match(platform, { fileSystems: [], swaps: [], left: [], esp: null });
});

t.test("what a system can do without is named, unless the spec says it", async (t) => {
  const platform = find(t, {
    mounts: [
      root,
      "0:50 / /data rw - nfs4 192.0.2.1:/data rw",
      "253:0 / /home rw - ext4 /dev/mapper/home rw",
      "8:1 / /mnt/stick rw - vfat /dev/sda1 rw",
    ],
    blocks: { "dm-0": "virtual/dm-0" },
    files: { "/sys/devices/virtual/dm-0/dm/uuid": "CRYPT-LUKS2-0001-home\n" },
    links: { "/dev/mapper/home": "../dm-0" },
    disks: [{ name: "sda", removable: true, byId: [] }, ...disks.slice(1)],
  });
  t.same(
    platform.fileSystems.map((each) => each.path),
    ["/"],
  );
  t.match(platform.left, [
    { path: "/data", why: "comes over the network" },
    { path: "/home", why: /^is encrypted/ },
    { path: "/mnt/stick", why: /can be taken out/ },
  ]);
  const mounts = [{ path: "/data", device: "192.0.2.1:/data", type: "nfs4" }];
  const result = tryRender({ mounts }, { base: { platform } });
  t.match(
    result.findings.map(({ level, code, message }) => ({ level, code, message })),
    [
      { level: "warning", code: "render/mount-left-out", message: /^\/home is in use now/ },
      { level: "warning", code: "render/mount-left-out", message: /^\/mnt\/stick is in use now/ },
    ],
  );
});

t.test("swap that the spec names is said once", async (t) => {
  const platform = find(t, { mounts: [root], swaps: ["/dev/vdb3", "/swapfile"] });
  const result = tryRender(
    { swap: [{ device: "/swapfile", sizeMiB: 64 }] },
    { base: { platform } },
  );
  t.match(fileOf(result, "firstlight/hardware.nix"), "/dev/vdb3");
  t.notMatch(fileOf(result, "firstlight/hardware.nix"), "/swapfile");
});
