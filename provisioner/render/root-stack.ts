import type { Files } from "#core/io.ts";
import { blockStack } from "./block-stack.ts";
import { type MountLine, readMounts, tellsMounts } from "./mount-table.ts";
import { comesOverNetwork } from "./network-file-systems.ts";

const blocks = "/sys/class/block";
const maxBytes = 4096;

/** What the file systems lie on that the initial RAM disk of NixOS mounts. */
export interface RootStack {
  /** Disks at the bottom by the kernel's names, each once. */
  readonly disks: readonly string[];
  /** Modules of what lies between them and the file systems: encryption, volumes, RAID. */
  readonly layers: readonly string[];
  /** Mounts whose disks nothing tells, with the type of their file system. */
  readonly untold: readonly { readonly path: string; readonly type: string }[];
}

/** NixOS's own list: utils.pathsNeededForBoot of nixpkgs (nixos/lib/utils.nix). */
const mountedEarly = new Set([
  ...["/", "/nix", "/nix/store", "/usr", "/etc"],
  ...["/var", "/var/log", "/var/lib", "/var/lib/nixos"],
]);
const inMemory = new Set(["tmpfs", "ramfs"]);

/** Looks at what is mounted now; `null` where no kernel tells that. */
export function findRootStack(files: Files): RootStack | null {
  if (!tellsMounts(files)) return null;
  const disks = new Set<string>();
  const layers = new Set<string>();
  const untold: RootStack["untold"][number][] = [];
  for (const mount of readMounts(files)) {
    const { path, type } = mount;
    if (!mountedEarly.has(path) || inMemory.has(type) || comesOverNetwork(type)) continue;
    const stacks = devicesOf(files, mount).map((device) => blockStack(files, device));
    const found = stacks.flatMap((stack) => stack.disks);
    if (found.length === 0) untold.push({ path, type });
    for (const disk of found) disks.add(disk);
    for (const name of stacks.flatMap(({ names }) => names))
      for (const module of layerModules(files, name)) layers.add(module);
  }
  return { disks: [...disks].sort(), layers: [...layers].sort(), untold };
}

/** The devices of a file system: bcachefs lists its own, btrfs has them in a directory of the kernel. */
function devicesOf(files: Files, { device, number }: MountLine): readonly string[] {
  const named = device.split(":").filter((each) => files.realPath(each) !== undefined);
  const byNumber = files.realPath(`/sys/dev/block/${number}`);
  const known = named.length > 0 || byNumber === undefined ? named : [byNumber];
  const names = known.map((each) => nameOf(files.realPath(each) ?? each));
  for (const pool of files.list("/sys/fs/btrfs")) {
    const members = files.list(`/sys/fs/btrfs/${pool}/devices`);
    if (members.some((member) => names.includes(member)))
      return members.map((member) => `/dev/${member}`);
  }
  return known;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Modules that drive one device of a stack, beside those of the disk below it. */
function layerModules(files: Files, name: string): readonly string[] {
  const read = (file: string) => files.readText(`${blocks}/${name}/${file}`, { maxBytes })?.trim();
  if (name.startsWith("bcache")) return ["bcache"];
  const level = read("md/level");
  if (level !== undefined) return ["md_mod", ...(raidModules[level] ?? [])];
  const uuid = read("dm/uuid");
  return uuid === undefined ? [] : ["dm_mod", ...mapperModules(uuid, read("dm/name") ?? "")];
}

/** By the kernel's name of the level (Documentation/admin-guide/md.rst). */
const raidModules: Readonly<Record<string, readonly string[]>> = {
  raid0: ["raid0"],
  raid1: ["raid1"],
  raid10: ["raid10"],
  raid4: ["raid456"],
  raid5: ["raid456"],
  raid6: ["raid456"],
};

/** By who made a mapping, which its uuid begins with, and by what LVM calls its parts. */
function mapperModules(uuid: string, name: string): readonly string[] {
  if (uuid.startsWith("CRYPT-")) return ["dm_crypt"];
  if (uuid.startsWith("mpath-")) return ["dm_multipath"];
  if (!uuid.startsWith("LVM-")) return [];
  if (uuid.endsWith("-tpool")) return ["dm_thin_pool"];
  if (/_r(image|meta)_[0-9]+$/.test(name)) return ["dm_raid"];
  if (/_(cdata|cmeta|cvol)$/.test(name)) return ["dm_cache", "dm_cache_smq"];
  return [];
}
