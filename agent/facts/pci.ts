import type { PciDevice } from "#generated/provisioner/facts/facts.ts";
import type { KernelFiles } from "./kernel-files.ts";

const bus = "/sys/bus/pci";
const directory = `${bus}/devices`;
const maxDevices = 4096;

/**
 * PCI functions by slot, one small read each: `uevent` holds every id. `[]` on a machine without
 * PCI, `null` when sysfs is not there to say so.
 */
export function readPci(kernel: KernelFiles): PciDevice[] | null {
  const names = kernel.list(directory, maxDevices);
  if (names === null) return kernel.exists("/sys/bus") ? [] : null;
  const devices: PciDevice[] = [];
  for (const slot of names) {
    const device = readDevice(kernel, slot);
    if (device === null) kernel.note(`${directory}/${slot}/uevent`, "malformed");
    else devices.push(device);
  }
  return devices;
}

function readDevice(kernel: KernelFiles, slot: string): PciDevice | null {
  const uevent = kernel.pairs(`${directory}/${slot}/uevent`);
  const id = ids(uevent.get("PCI_ID"));
  if (id === null || !/^[0-9a-f.:]{7,20}$/.test(slot)) return null;
  const subsystem = ids(uevent.get("PCI_SUBSYS_ID"));
  const driver = uevent.get("DRIVER");
  return {
    slot,
    vendor: id.vendor,
    device: id.device,
    subsystemVendor: subsystem?.vendor ?? null,
    subsystemDevice: subsystem?.device ?? null,
    class: classOf(uevent.get("PCI_CLASS")),
    driver: driver === undefined || driver === "" ? null : driver,
    module: driver === undefined ? null : kernel.linkName(`${directory}/${slot}/driver/module`),
  };
}

/** `1002:15BF` as two ids. */
function ids(
  text: string | undefined,
): { readonly vendor: string; readonly device: string } | null {
  const [, vendor, device] = /^([0-9A-Fa-f]{4}):([0-9A-Fa-f]{4})$/.exec(text ?? "") ?? [];
  if (vendor === undefined || device === undefined) return null;
  return { vendor: vendor.toLowerCase(), device: device.toLowerCase() };
}

/** The kernel writes the class without leading zeros: `30000` is 030000. */
function classOf(text: string | undefined): string | null {
  return /^[0-9A-Fa-f]{1,6}$/.test(text ?? "") ? (text ?? "").toLowerCase().padStart(6, "0") : null;
}
