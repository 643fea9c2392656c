import type { PciDevice, UsbDevice } from "#generated/provisioner/facts/facts.ts";

/**
 * Vendors whose USB devices with an interface of their own kind are fingerprint readers: what else
 * they make for USB are touchpads and touchscreens, which are of the class of human interfaces.
 * Source: the devices that libfprint knows.
 */
const fingerprintVendors: ReadonlySet<string> = new Set([
  "04f3", // Elan
  "05ba", // DigitalPersona
  "06cb", // Synaptics
  "08ff", // AuthenTec
  "10a5", // FPC
  "138a", // Validity
  "147e", // UPEK
  "1c7a", // LighTuning
  "27c6", // Goodix
  "2808", // FocalTech
  "298d", // NEXT Biometrics
]);

/** Intel's image processors, to which cameras are wired (Linux, `drivers/media/pci/intel`). */
const imageProcessors: ReadonlySet<string> = new Set([
  "8086:1919",
  "8086:9d32",
  "8086:9a19",
  "8086:4e19",
  "8086:465d",
  "8086:462e",
  "8086:a75d",
  "8086:7d19",
  "8086:645d",
  "8086:b05d",
]);

const humanInterface = "03";
const video = "0e";
const ownKind = "ff";

/** Whether a USB device reads fingers: by its own name, or by its maker and the kind of its interfaces. */
export function isFingerprintReader({ vendor, name, interfaceClasses }: UsbDevice): boolean {
  if (/finger ?print/i.test(name ?? "")) return true;
  return (
    fingerprintVendors.has(vendor) &&
    interfaceClasses.includes(ownKind) &&
    !interfaceClasses.includes(humanInterface)
  );
}

/** Whether there is a camera on USB, or a processor that one is wired to. */
export function isThereCamera(pci: readonly PciDevice[], usb: readonly UsbDevice[]): boolean {
  return (
    usb.some(({ interfaceClasses }) => interfaceClasses.includes(video)) ||
    pci.some(({ vendor, device }) => imageProcessors.has(`${vendor}:${device}`))
  );
}
