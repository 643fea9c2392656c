/** What the first field of a mount names. */
export type NamedDevice =
  /** A path below /dev, or what a file system without a disk takes: an address, a share, a tag. */
  | { readonly kind: "known"; readonly device: string; readonly whole: boolean }
  /** A name that only the cloud can turn into a disk (`ephemeral0`), and nobody does here. */
  | { readonly kind: "of-cloud" }
  | { readonly kind: "unknown" };

/** Kernel names of disks that cloud-init takes without `/dev/` (`DEVICE_NAME_FILTER`). */
const kernelName = /^(?:x?[shv]d[a-z][0-9]*|sr[0-9]+)$/;
const wholeDisk = /^\/dev\/(?:x?[shv]d[a-z]+|nvme[0-9]+n[0-9]+|mmcblk[0-9]+)$/;
/** Names of EC2's block device mapping (`is_meta_device_name`). */
const cloudName = /^(?:ami|root|swap|ephemeral[^:]*|ebs[^:]*)$/;

const tags: Readonly<Record<string, string>> = {
  LABEL: "by-label",
  UUID: "by-uuid",
  PARTLABEL: "by-partlabel",
  PARTUUID: "by-partuuid",
};

/** Types of file systems that lie on a disk: their device is a path, whatever its name looks like. */
const onDisk =
  /^(?:auto|ext[234]|xfs|btrfs|bcachefs|f2fs|jfs|reiserfs|vfat|msdos|exfat|ntfs3?|ntfs-3g|iso9660|udf|squashfs|erofs|swap)$/;

/**
 * The device of a mount as cloud-init reads it (`sanitize_devname`): names of the kernel, aliases, numbers
 * of partitions behind a dot; and besides the tags that fstab has.
 */
export function readDevice(
  written: string,
  type: string,
  aliases: ReadonlyMap<string, string>,
): NamedDevice {
  const tag = /^([A-Z]+)="?([^"]+)"?$/.exec(written);
  const folder = tag === null ? undefined : tags[tag[1] ?? ""];
  if (folder !== undefined) return known(`/dev/disk/${folder}/${asLinkName(tag?.[2] ?? "")}`);
  if (written.includes(":") || written.startsWith("//")) return known(written);
  const name = written === "ephemeral" ? "ephemeral0" : written;
  const [, base = name, number] = name.startsWith("/dev/disk/")
    ? []
    : (/^(.+)\.([0-9]+)$/.exec(name) ?? []);
  const alias = aliases.get(name);
  const disk = alias ?? aliases.get(base) ?? base;
  const part = alias === undefined ? number : undefined;
  if (disk.startsWith("/")) return ofDisk(disk, part);
  if (kernelName.test(disk)) return ofDisk(`/dev/${disk}`, part);
  if (cloudName.test(disk)) return { kind: "of-cloud" };
  return onDisk.test(type) ? { kind: "unknown" } : known(written);
}

/** Path of a partition of a disk. */
export function partitionOf(disk: string, number: string | number): string {
  if (disk.startsWith("/dev/disk/")) return `${disk}-part${number}`;
  return /[0-9]$/.test(disk) ? `${disk}p${number}` : `${disk}${number}`;
}

function ofDisk(disk: string, number: string | undefined): NamedDevice {
  if (number !== undefined) return known(partitionOf(disk, number));
  return { kind: "known", device: disk, whole: wholeDisk.test(disk) };
}

function known(device: string): NamedDevice {
  return { kind: "known", device, whole: false };
}

/** As udev writes a label into the name of a link: what is not plain stands there in hexadecimal. */
function asLinkName(label: string): string {
  return label.replace(/[^A-Za-z0-9#+.:=@_\u0080-\u{10ffff}-]/gu, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
