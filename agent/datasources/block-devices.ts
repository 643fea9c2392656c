import type { Files, RandomAccess } from "#core/io.ts";
import { transportOf } from "../facts/block.ts";
import { type KernelFiles, kernelFiles } from "../facts/kernel-files.ts";

const directory = "/sys/class/block";
const maxDevices = 1024;
const sectorBytes = 512; // `size` counts these, whatever the disk's own sectors are

/** A disk, partition or medium that may hold a file system. */
export interface BlockDevice {
  /** The kernel's name: `vdb`, `sda1`. */
  readonly name: string;
  /** Where it is opened: `/dev/vdb`. */
  readonly node: string;
  readonly sizeBytes: number;
  /** Whether it can be carried from machine to machine: its medium, or the device itself (USB). */
  readonly removable: boolean;
  readonly readOnly: boolean;
  readonly rotational: boolean | null;
  readonly partition: boolean;
  /**
   * The same on every boot where the hardware allows: its own number (WWID, serial), else its place
   * on the bus, else its name.
   */
  readonly identity: string;
}

/**
 * Names that never hold a seed: memory, floppies (a probe of an empty drive takes seconds), boot
 * areas of eMMC.
 */
const ignoredNames = /^(?:ram|zram|fd)\d+$|^mmcblk\d+(?:boot|rpmb)/;

/**
 * Block devices that may hold a seed, highest name first, as cloud-init tries them. Left out: what
 * has no medium or no node in `/dev`, what another device is made of (RAID, multipath, LVM), and
 * what the device mapper makes, unless it is the multipath of a real disk.
 */
export function listBlockDevices(files: Files): readonly BlockDevice[] {
  const kernel = kernelFiles(files);
  const names = kernel.list(directory, maxDevices) ?? [];
  const devices = names
    .filter((name) => !ignoredNames.test(name))
    .map((name) => readDevice(kernel, name));
  return devices
    .filter((device) => device !== undefined)
    .sort((a, b) => (a.node < b.node ? 1 : a.node > b.node ? -1 : 0));
}

/** Opens a device for reading; of a real one not more than its size, which the kernel has told. */
export function openBlockDevice(files: Files, device: BlockDevice): RandomAccess {
  return files.open(device.node, { size: device.sizeBytes });
}

function readDevice(kernel: KernelFiles, name: string): BlockDevice | undefined {
  const entry = `${directory}/${name}`;
  const path = kernel.realPath(entry) ?? entry;
  const node = `/dev/${name.replaceAll("!", "/")}`;
  const sectors = kernel.number(`${path}/size`) ?? 0;
  const sizeBytes = sectors * sectorBytes;
  if (sectors === 0 || !Number.isSafeInteger(sizeBytes) || kernel.realPath(node) === null)
    return undefined;
  if (kernel.flag(`${path}/hidden`) === true || isPartOfAnother(kernel, path, name))
    return undefined;

  const partitionNumber = kernel.number(`${path}/partition`);
  const disk = partitionNumber === null ? path : path.slice(0, path.lastIndexOf("/"));
  const suffix = partitionNumber === null ? "" : ` partition ${partitionNumber}`;
  return {
    name,
    node,
    sizeBytes,
    removable: kernel.flag(`${disk}/removable`) === true || transportOf(path) === "usb",
    readOnly: kernel.flag(`${path}/ro`) === true,
    rotational: kernel.flag(`${disk}/queue/rotational`),
    partition: partitionNumber !== null,
    identity: `${identityOf(kernel, disk)}${suffix}`,
  };
}

function isPartOfAnother(kernel: KernelFiles, path: string, name: string): boolean {
  if ((kernel.list(`${path}/holders`, 1)?.length ?? 0) > 0) return true;
  if (!name.startsWith("dm-")) return false;
  return !/^(?:part\d+-)?mpath-/.test(kernel.value(`${path}/dm/uuid`) ?? "");
}

function identityOf(kernel: KernelFiles, path: string): string {
  const wwid = kernel.value(`${path}/wwid`) ?? kernel.value(`${path}/device/wwid`);
  if (wwid !== null) return `wwid ${wwid}`;
  const serial =
    kernel.value(`${path}/serial`) ??
    kernel.value(`${path}/device/serial`) ??
    kernel.value(`${path}/device/cid`);
  if (serial !== null) return `serial ${serial}`;
  const place = /^\/sys\/devices\/(.+)\/block\/[^/]+$/.exec(path)?.[1];
  return place === undefined
    ? `name ${path.slice(path.lastIndexOf("/") + 1)}`
    : `place ${withoutCounters(place)}`;
}

/** Without what the kernel counts in the order that it finds things in. */
function withoutCounters(place: string): string {
  const parts = place
    .split("/")
    .filter((part) => !/^(?:host\d+|target[\d:]+|virtio\d+)$/.test(part));
  return parts.map((part) => part.replace(/^\d+:(\d+:\d+:\d+)$/, "$1")).join("/");
}
