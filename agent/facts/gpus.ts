import type { Gpu, PciDevice } from "#generated/provisioner/facts/facts.ts";
import { gpusOf } from "#provisioner/facts/gpus.ts";
import type { KernelFiles } from "./kernel-files.ts";

/** Graphics processors of the PCI bus, with the one that the firmware has shown its screen on. */
export function readGpus(kernel: KernelFiles, pci: readonly PciDevice[] | null): Gpu[] | null {
  if (pci === null) return null;
  return gpusOf(pci, (slot) => kernel.flag(`/sys/bus/pci/devices/${slot}/boot_vga`));
}
