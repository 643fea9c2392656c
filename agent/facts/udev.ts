import type { KernelFiles } from "./kernel-files.ts";

/**
 * What udev's database holds of a block device, by its number (`259:0`): what its rules have found
 * out, without asking the device again. `null` where udev has not looked at it: no entry, or one
 * without a property of its rules for disks. Source: systemd, `sd-device`, the lines `E:`.
 */
export function readUdevOfBlock(
  kernel: KernelFiles,
  number: string | null,
): ReadonlyMap<string, string> | null {
  if (number === null || !/^[0-9]{1,9}:[0-9]{1,9}$/.test(number)) return null;
  const lines = kernel.pairs(`/run/udev/data/b${number}`);
  const found = new Map<string, string>();
  for (const [key, value] of lines) if (key.startsWith("E:ID_")) found.set(key.slice(2), value);
  return found.size === 0 ? null : found;
}

/**
 * What blkid has recognised on the whole of a device; `none` where it looked and recognised
 * nothing, `null` where udev does not say. A hibernated system lies in swap, comes and goes, and
 * is called swap.
 */
export function signatureOf(udev: ReadonlyMap<string, string> | null): string | null {
  const type = wordOf(udev, "ID_FS_TYPE");
  return type === "swsuspend" ? "swap" : type;
}

/** Kind of the partition table, said in the same way. */
export function partitionTableOf(udev: ReadonlyMap<string, string> | null): string | null {
  return wordOf(udev, "ID_PART_TABLE_TYPE");
}

function wordOf(udev: ReadonlyMap<string, string> | null, name: string): string | null {
  if (udev === null) return null;
  const value = udev.get(name) ?? "";
  return value === "" ? "none" : value;
}
