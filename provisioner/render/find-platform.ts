import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { Platform } from "./base.ts";

/** File systems that a machine can have its root on, and that NixOS knows by these names. */
const rootTypes = new Set([
  ...["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "vfat", "zfs", "bcachefs"],
]);
const mountPoints = new Set(["/", "/boot", "/boot/efi", "/boot/firmware", "/efi", "/nix", "/var"]);

/**
 * Root file system, boot partition and boot loader as they are now. Throws `base/adopt` for a root
 * that cannot be told from here (an encrypted one: its key and device stand nowhere).
 */
export function findPlatform(files: Files, facts: Facts): Platform {
  const fileSystems = readMounts(files).flatMap(({ device, path, type }) => {
    if (!mountPoints.has(path) || !rootTypes.has(type)) return [];
    refuseEncrypted(files, path, device);
    return [{ path, device: stableName(files, device), type }];
  });
  const esp = fileSystems.find(
    ({ path, type }) => type === "vfat" && ["/boot", "/boot/efi", "/efi"].includes(path),
  );
  return { fileSystems, bootLoader: findBootLoader(files, facts), esp: esp?.path ?? null };
}

/** One line of /proc/mounts. */
export interface MountLine {
  readonly device: string;
  readonly path: string;
  readonly type: string;
}

/** Every mount, by the path where it is; a later line of /proc/mounts lies over an earlier one. */
export function readMounts(files: Files): readonly MountLine[] {
  const text = files.readText("/proc/mounts", { maxBytes: 1024 * 1024 }) ?? "";
  const byPath = new Map<string, MountLine>();
  for (const line of text.split("\n")) {
    const [device = "", path = "", type = ""] = line.split(" ");
    byPath.set(path, { device, path, type });
  }
  return [...byPath.values()];
}

/** What has installed itself on this machine; else what its firmware starts. */
function findBootLoader(files: Files, facts: Facts): Platform["bootLoader"] {
  const has = (file: string) => files.stat(file) !== undefined;
  const isUefi = facts.firmware.type === "uefi";
  if (has("/boot/extlinux/extlinux.conf")) return "extlinux";
  if (has("/boot/grub/grub.cfg")) return { grub: isUefi ? "nodev" : bootDisk(facts) };
  if (isUefi) return "systemd-boot";
  return facts.firmware.type === "device-tree" ? "extlinux" : { grub: bootDisk(facts) };
}

function refuseEncrypted(files: Files, path: string, device: string): void {
  const real = files.realPath(device) ?? device;
  const name = real.slice(real.lastIndexOf("/") + 1);
  const uuid = files.readText(`/sys/block/${name}/dm/uuid`, { maxBytes: 4096 }) ?? "";
  if (!uuid.startsWith("CRYPT-")) return;
  throw new Fault("base/adopt", `${path} is encrypted, and nothing says how it is opened`, {
    hint: "write /etc/nixos/configuration.nix with boot.initrd.luks.devices: it is taken over whole",
  });
}

/** A name by UUID or label, which does not change when disks are found in another order. */
function stableName(files: Files, device: string): string {
  const real = files.realPath(device) ?? device;
  for (const folder of ["/dev/disk/by-uuid", "/dev/disk/by-label"]) {
    const name = files.list(folder).find((link) => files.realPath(`${folder}/${link}`) === real);
    if (name !== undefined) return `${folder}/${name}`;
  }
  return device;
}

function bootDisk(facts: Facts): string {
  const disk = (facts.blockDevices ?? []).find(
    (device) => device.removable !== true && device.readOnly !== true,
  );
  if (disk === undefined) return "nodev";
  const [id] = disk.byId;
  return id === undefined ? `/dev/${disk.name}` : `/dev/disk/by-id/${id}`;
}
