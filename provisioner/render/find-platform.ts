import { Fault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { FoundFileSystem, Platform } from "./base.ts";
import { blockStack } from "./block-stack.ts";
import { findMounts } from "./find-mounts.ts";
import { tellsMounts } from "./mount-table.ts";

/** Without these a system does not come up, or comes up as another: none of them is left out. */
const needed = new Set([
  ...["/", "/boot", "/boot/efi", "/boot/firmware", "/efi", "/etc", "/usr"],
  ...["/nix", "/nix/store", "/var", "/var/log", "/var/lib", "/var/lib/nixos"],
]);

/**
 * File systems, swap and boot loader as they are now. Throws `base/platform` for what a system needs
 * to boot and that cannot be told from here (an encrypted root: its key and device stand nowhere);
 * what it can do without is named in `left`. A directory that stands for a machine and tells no
 * mounts has no file systems here: `checkBase` says so.
 */
export function findPlatform(files: Files, facts: Facts): Platform {
  if (!tellsMounts(files)) return untold;
  const { fileSystems, swaps, left } = findMounts(files, facts);
  const missing = left.find(({ path }) => needed.has(path));
  if (missing !== undefined)
    throw unknown(`${missing.path} ${missing.why}`, "fileSystems and boot");
  if (!fileSystems.some(({ path }) => path === "/"))
    throw unknown("nothing tells what / is mounted from", 'fileSystems."/"');
  const bootLoader = findBootLoader(files, facts, fileSystems);
  return { fileSystems, swaps, left, bootLoader, esp: findEsp(bootLoader, fileSystems) };
}

/** Every kernel does, so that this is never a machine that boots. */
const untold: Platform = {
  fileSystems: [],
  swaps: [],
  left: [],
  bootLoader: { grub: "nodev" },
  esp: null,
};

function unknown(what: string, options: string): Fault {
  return new Fault("base/platform", what, {
    hint: `write /etc/nixos/configuration.nix with ${options}: it is taken over whole`,
  });
}

/** What has installed itself on this machine; else what its firmware starts. */
function findBootLoader(
  files: Files,
  facts: Facts,
  fileSystems: readonly FoundFileSystem[],
): Platform["bootLoader"] {
  const has = (file: string) => files.stat(file) !== undefined;
  const isUefi = facts.firmware.type === "uefi";
  const grub = () => ({ grub: isUefi ? "nodev" : bootDisk(files, facts, fileSystems) });
  if (has("/boot/extlinux/extlinux.conf")) return "extlinux";
  if (has("/boot/grub/grub.cfg")) return grub();
  if (isUefi) return "systemd-boot";
  return facts.firmware.type === "device-tree" ? "extlinux" : grub();
}

/** UEFI starts nothing that does not lie on its own partition. */
function findEsp(
  bootLoader: Platform["bootLoader"],
  fileSystems: readonly FoundFileSystem[],
): string | null {
  const esp = fileSystems.find(
    ({ path, type }) => type === "vfat" && ["/boot", "/boot/efi", "/efi"].includes(path),
  );
  const isNeeded =
    bootLoader === "systemd-boot" ||
    (typeof bootLoader === "object" && bootLoader.grub === "nodev");
  if (isNeeded && esp === undefined)
    throw unknown(
      "the EFI system partition is not mounted",
      "the boot loader, or mount it at /boot",
    );
  return esp?.path ?? null;
}

/** The disk that what the boot loader reads lies on; its name by id where it has one. */
function bootDisk(files: Files, facts: Facts, fileSystems: readonly FoundFileSystem[]): string {
  const at = (place: string) => fileSystems.find(({ path }) => path === place);
  const { path, device } = at("/boot") ?? at("/") ?? { path: "/", device: "" };
  const { disks } = blockStack(files, device);
  const [disk, second] = disks;
  if (disk === undefined) throw unknown(`nothing tells the disk of ${path}`, "boot.loader.grub");
  if (second !== undefined)
    throw unknown(
      `${path} lies on several disks (${disks.join(", ")})`,
      "boot.loader.grub.devices",
    );
  const [id] = facts.blockDevices?.find(({ name }) => name === disk)?.byId ?? [];
  return id === undefined ? `/dev/${disk}` : `/dev/disk/by-id/${id}`;
}
