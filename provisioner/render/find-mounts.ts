import type { Files } from "#core/io.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { FoundFileSystem, LeftOut } from "./base.ts";
import { blockStack, obstacle, stableName } from "./block-stack.ts";
import { type MountLine, readMounts, readSwaps } from "./mount-table.ts";
import { comesOverNetwork } from "./network-file-systems.ts";

/** What of the mounted file systems and the swap can be said in a configuration, and what cannot. */
export interface FoundMounts {
  readonly fileSystems: readonly FoundFileSystem[];
  readonly swaps: readonly string[];
  readonly left: readonly LeftOut[];
}

/** File systems of disks that NixOS mounts by device and name of the type, and needs no more for. */
const diskTypes = new Set([
  ...["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "vfat", "bcachefs", "exfat", "ntfs3"],
]);
/** Places where systemd and NixOS themselves mount what they need. */
const ofTheSystem = /^\/(proc|sys|dev|run)(\/|$)/;

/**
 * What an option says of who may do what, of how it is stored, or of where the file system begins. The
 * rest of what the kernel lists is how it describes its defaults, and not always what it takes.
 */
const saysMore =
  /^(ro|noatime|nodiratime|strictatime|lazytime|nosuid|nodev|noexec|nosymfollow|sync|dirsync|nobarrier|autodefrag|(subvol|compress|compress-force|discard|umask|fmask|dmask|uid|gid|data)=.+|discard|nodatacow|nodatasum|(usr|grp|prj|u|g|p)quota)$/;
const saysDefault = /^(subvol=\/|[ug]id=0|data=ordered)$/;

/** Looks at every mount of a disk, and at the swap that is in use. */
export function findMounts(files: Files, facts: Facts): FoundMounts {
  const mounts = readMounts(files).filter((mount) => !isNobodysWish(mount));
  const seen = mounts.map((mount) => describe({ files, facts, mounts }, mount));
  const swap = readSwaps(files)
    .filter((device) => !device.startsWith("/dev/zram"))
    .map((device) => describeSwap({ files, facts, mounts }, device));
  return {
    fileSystems: seen.flatMap((each) => ("device" in each ? [each] : [])),
    swaps: swap.flatMap((each) => (typeof each === "string" ? [each] : [])),
    left: [...seen, ...swap].flatMap((each) =>
      typeof each === "object" && "why" in each ? [each] : [],
    ),
  };
}

/** What comes with every system or with what runs on it, and is not on a disk of its own. */
function isNobodysWish({ path, type, device, root }: MountLine): boolean {
  if (ofTheSystem.test(path) || (path === "/nix/store" && root !== "/")) return true;
  return path !== "/" && !device.startsWith("/dev/") && !comesOverNetwork(type) && type !== "zfs";
}

interface Look {
  readonly files: Files;
  readonly facts: Facts;
  readonly mounts: readonly MountLine[];
}

function describe(look: Look, mount: MountLine): FoundFileSystem | LeftOut {
  const { path, type, device, root } = mount;
  const options = mount.options.filter((each) => saysMore.test(each) && !saysDefault.test(each));
  if (comesOverNetwork(type)) return { path, why: "comes over the network" };
  if (!diskTypes.has(type)) return { path, why: `is ${type}, which is not taken over` };
  const why = whyNot(look, device, path);
  if (why !== undefined) return { path, why };
  const isWhole = root === "/" || mount.options.includes(`subvol=${root}`);
  if (isWhole) return { path, device: stableName(look.files, device), type, options };
  const source = sourceOf(look, mount);
  const rights = options.filter((each) => !each.includes("="));
  if (source !== undefined)
    return { path, device: source, type: "none", options: ["bind", ...rights] };
  return { path, why: `is the directory ${root} of ${device}, which is mounted nowhere else` };
}

/** Where the directory that is mounted a second time lies. */
function sourceOf({ mounts }: Look, { number, root, path }: MountLine): string | undefined {
  const subvolume = (mount: MountLine) => mount.options.find((each) => each.startsWith("subvol="));
  const begins = (mount: MountLine) => (mount.root === "/" ? "/" : `${mount.root}/`);
  const whole = mounts.find(
    (mount) =>
      mount.number === number &&
      mount.path !== path &&
      root.startsWith(begins(mount)) &&
      (mount.root === "/" || subvolume(mount) === `subvol=${mount.root}`),
  );
  if (whole === undefined) return undefined;
  return `${whole.path === "/" ? "" : whole.path}/${root.slice(begins(whole).length)}`;
}

function describeSwap(look: Look, device: string): string | LeftOut {
  const why = device.startsWith("/dev/") ? whyNot(look, device, device) : undefined;
  return why === undefined ? stableName(look.files, device) : { path: device, why };
}

function whyNot({ files, facts }: Look, device: string, path: string): string | undefined {
  const stack = blockStack(files, device);
  const found = obstacle(files, stack);
  if (found !== undefined) return found;
  if (device.startsWith("/dev/loop")) return "is a file that is mounted as a disk";
  if (device.includes(":")) return "lies on several disks";
  const isRemovable = (name: string) =>
    facts.blockDevices?.find((disk) => disk.name === name)?.removable === true;
  return path !== "/" && !path.startsWith("/boot") && stack.disks.some(isRemovable)
    ? "is on a disk that can be taken out"
    : undefined;
}
