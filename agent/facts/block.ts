import type { BlockDevice, Partition } from "#generated/provisioner/facts/facts.ts";
import type { KernelFiles } from "./kernel-files.ts";
import { partitionTableOf, readUdevOfBlock, signatureOf } from "./udev.ts";

const maxDevices = 1024;
const maxNames = 8192;
const maxIds = 32;
const maxPartitions = 256;
const maxEntries = 1024; // of a disk's directory: its partitions and about forty attributes
const maxDepth = 32; // of a device below /sys/devices; real chains have about ten
const sectorBytes = 512; // `size` counts these, whatever the disk's own sectors are

/**
 * Whole disks by name, with the modules that reach them. `[]` when there is none, `null` when sysfs
 * is not there to say so: the two must never be confused by an installer.
 */
export function readBlockDevices(kernel: KernelFiles): BlockDevice[] | null {
  const names = kernel.list("/sys/block", maxDevices);
  if (names === null) return null;
  const ids = namesById(kernel);
  const devices: BlockDevice[] = [];
  for (const name of names) {
    const path = kernel.realPath(`/sys/block/${name}`);
    if (path === null || isVirtual(path) || isBootArea(name)) continue;
    if (kernel.flag(`${path}/hidden`) === true) continue;
    const udev = readUdevOfBlock(kernel, kernel.value(`${path}/dev`));
    devices.push({
      name,
      sizeBytes: sizeOf(kernel, path),
      removable: kernel.flag(`${path}/removable`),
      readOnly: kernel.flag(`${path}/ro`),
      rotational: kernel.flag(`${path}/queue/rotational`),
      model: kernel.value(`${path}/device/model`) ?? kernel.value(`${path}/device/name`),
      transport: transportOf(path),
      wwid: kernel.value(`${path}/wwid`) ?? kernel.value(`${path}/device/wwid`),
      byId: (ids.get(name) ?? []).slice(0, maxIds),
      modules: modulesOnTheWay(kernel, deviceOf(kernel, path)),
      partitionTable: partitionTableOf(udev),
      signature: signatureOf(udev),
      partitions: readPartitions(kernel, path, name),
    });
  }
  return devices;
}

function sizeOf(kernel: KernelFiles, path: string): number | null {
  const sectors = kernel.number(`${path}/size`);
  return sectors === null || sectors > Number.MAX_SAFE_INTEGER / sectorBytes
    ? null
    : sectors * sectorBytes;
}

/** What of an eMMC holds the firmware, and shows itself as a disk (Linux, `mmc-dev-parts.rst`). */
export function isBootArea(name: string): boolean {
  return /^mmcblk[0-9]+(boot[0-9]+|rpmb)$/.test(name);
}

/** Partitions are directories of their disk that have a number of their own. */
function readPartitions(kernel: KernelFiles, disk: string, diskName: string): Partition[] {
  const found: Partition[] = [];
  for (const name of kernel.list(disk, maxEntries) ?? []) {
    if (!name.startsWith(diskName)) continue;
    const number = kernel.number(`${disk}/${name}/partition`);
    if (number === null || number === 0) continue;
    const udev = readUdevOfBlock(kernel, kernel.value(`${disk}/${name}/dev`));
    const type = udev?.get("ID_PART_ENTRY_TYPE") ?? "";
    found.push({
      name,
      number,
      sizeBytes: sizeOf(kernel, `${disk}/${name}`),
      type: type === "" ? null : type,
      signature: signatureOf(udev),
    });
  }
  if (found.length > maxPartitions) kernel.note(disk, "too-many");
  return found.sort((a, b) => a.number - b.number).slice(0, maxPartitions);
}

/** A namespace under NVMe multipath is below /devices/virtual, and is a disk all the same. */
function isVirtual(path: string): boolean {
  return path.includes("/devices/virtual/") && !path.includes("/nvme-subsystem/");
}

/** Names of udev by the disk they point at. */
function namesById(kernel: KernelFiles): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const name of kernel.list("/dev/disk/by-id", maxNames) ?? []) {
    const disk = kernel.linkName(`/dev/disk/by-id/${name}`);
    if (disk !== null) found.set(disk, [...(found.get(disk) ?? []), name]);
  }
  return found;
}

/** Where the way to the bus begins: for NVMe multipath the first controller of the subsystem. */
function deviceOf(kernel: KernelFiles, path: string): string {
  if (!path.includes("/nvme-subsystem/")) return path;
  const subsystem = path.slice(0, path.lastIndexOf("/"));
  const controller = kernel.list(subsystem, 1024)?.find((name) => /^nvme[0-9]+$/.test(name));
  return (controller === undefined ? null : kernel.realPath(`${subsystem}/${controller}`)) ?? path;
}

function modulesOnTheWay(kernel: KernelFiles, start: string): string[] {
  const modules: string[] = [];
  const parts = start.split("/");
  for (let depth = 0; depth < maxDepth && parts.length > 3; depth++) {
    const here = parts.join("/");
    // The disk's own device (`sd`, `mmcblk`) hangs below it as `device`, its parent on the bus.
    const module = kernel.linkName(`${here}/driver/module`);
    if (module !== null && !modules.includes(module)) modules.push(module);
    parts.pop();
  }
  return modules;
}

/** How a disk is attached, by its place among the kernel's devices. */
export function transportOf(path: string): BlockDevice["transport"] {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name.startsWith("nvme")) return "nvme";
  if (path.includes("/mmc_host/")) return "mmc";
  if (/\/usb[0-9]+\//.test(path)) return "usb";
  if (/\/ata[0-9]+\//.test(path)) return "ata";
  if (/\/(end_device|expander)-/.test(path)) return "sas";
  if (/\/vbd-[0-9]+\//.test(path)) return "xen";
  if (path.includes("/VMBUS:") || path.includes("/vmbus")) return "hyperv";
  if (/\/host[0-9]+\/target/.test(path)) return "scsi";
  if (/\/virtio[0-9]+\/block\//.test(path)) return "virtio";
  return "other";
}
