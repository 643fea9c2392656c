import type { KernelFiles } from "./kernel-files.ts";

/** Bytes of memory that the kernel can use, from `/proc/meminfo`. */
export function readMemoryBytes(kernel: KernelFiles): number | null {
  const text = kernel.text("/proc/meminfo");
  const kibibytes = /^MemTotal:\s+([0-9]{1,12}) kB$/m.exec(text ?? "")?.[1];
  if (kibibytes !== undefined) return Number(kibibytes) * 1024;
  if (text !== null) kernel.note("/proc/meminfo", "malformed");
  return null;
}
