import type { Cpu, Features, PciDevice, UsbDevice } from "#generated/provisioner/facts/facts.ts";
import { isFingerprintReader, isThereCamera } from "#provisioner/facts/features.ts";
import type { KernelFiles } from "./kernel-files.ts";

/** What was read before. */
export interface FeatureEvidence {
  readonly cpu: Cpu;
  readonly pci: readonly PciDevice[] | null;
  readonly usb: readonly UsbDevice[] | null;
}

const maxEntries = 1024;
const maxInputs = 1024;
const maxSensors = 64;

const bluetoothOnPci = "0d11"; // base class and sub-class

/**
 * What else the machine has, from names that the kernel has at hand. Values of a battery or of a
 * sensor are not read: they change, and asking for them can take a controller long.
 */
export function readFeatures(kernel: KernelFiles, evidence: FeatureEvidence): Features {
  const { pci, usb } = evidence;
  return {
    bluetooth: readBluetooth(kernel, evidence),
    fingerprint: usb?.some(isFingerprintReader) ?? null,
    camera: isThereCamera(pci ?? [], usb ?? []) || (usb === null ? null : false),
    touchscreen: readTouchscreen(kernel, evidence.cpu),
    sensors: readSensors(kernel),
    battery: readBattery(kernel),
  };
}

/** By the bus, and not by the driver's class: that one fills only when firmware was loaded. */
function readBluetooth(kernel: KernelFiles, { pci, usb }: FeatureEvidence): boolean | null {
  if (pci?.some((device) => device.class?.startsWith(bluetoothOnPci) === true) === true)
    return true;
  if (hasUsbInterface(kernel, "224/1/1")) return true;
  for (const name of kernel.list("/sys/bus/serial/devices", maxEntries) ?? []) {
    const here = `/sys/bus/serial/devices/${name}`;
    if (kernel.value(`${here}/modalias`)?.startsWith("of:Nbluetooth") === true) return true;
    if (kernel.linkName(`${here}/driver`)?.startsWith("hci_uart") === true) return true;
  }
  return usb === null ? null : false;
}

/** Whether an interface says that it is of a class, sub-class and protocol (in decimal). */
function hasUsbInterface(kernel: KernelFiles, kind: string): boolean {
  const directory = "/sys/bus/usb/devices";
  const names = kernel.list(directory, 4096) ?? [];
  return names.some(
    (name) =>
      name.includes(":") && kernel.pairs(`${directory}/${name}/uevent`).get("INTERFACE") === kind,
  );
}

// Linux, `include/uapi/linux/input-event-codes.h`.
const propertyDirect = 1;
const keyToolPen = 0x140;
const keyTouch = 0x14a;

/** An input that is pointed at directly and touched, and not with a pen. */
function readTouchscreen(kernel: KernelFiles, cpu: Cpu): boolean | null {
  const directory = "/sys/class/input";
  const names = kernel.list(directory, maxInputs);
  if (names === null) return kernel.exists("/sys/class") ? false : null;
  const wordBits = /64$/.test(cpu.architecture ?? "") ? 64 : 32;
  return names
    .filter((name) => /^input[0-9]+$/.test(name))
    .some((name) => {
      const has = (file: string, bit: number) =>
        hasBit(kernel.value(`${directory}/${name}/${file}`), { bit, wordBits });
      return (
        has("properties", propertyDirect) &&
        has("capabilities/key", keyTouch) &&
        !has("capabilities/key", keyToolPen)
      );
    });
}

/** A set of bits as the kernel writes it: words in hexadecimal, the highest first. */
function hasBit(
  text: string | null,
  { bit, wordBits }: { readonly bit: number; readonly wordBits: number },
): boolean {
  const words = (text ?? "").split(" ").reverse();
  const word = words[Math.floor(bit / wordBits)] ?? "";
  return (
    /^[0-9a-f]{1,16}$/.test(word) && ((BigInt(`0x${word}`) >> BigInt(bit % wordBits)) & 1n) === 1n
  );
}

function readSensors(kernel: KernelFiles): string[] | null {
  const directory = "/sys/bus/iio/devices";
  const names = kernel.list(directory, maxEntries);
  if (names === null) return kernel.exists("/sys/bus") ? [] : null;
  const found = names
    .filter((name) => name.startsWith("iio:device"))
    .flatMap((name) => kernel.value(`${directory}/${name}/name`) ?? []);
  return [...new Set(found)].sort().slice(0, maxSensors);
}

/** `scope` says `Device` of what feeds something else (Linux, `sysfs-class-power`). */
function readBattery(kernel: KernelFiles): boolean | null {
  const directory = "/sys/class/power_supply";
  const names = kernel.list(directory, maxEntries);
  if (names === null) return kernel.exists("/sys/class") ? false : null;
  return names.some(
    (name) =>
      kernel.value(`${directory}/${name}/type`) === "Battery" &&
      kernel.value(`${directory}/${name}/scope`) !== "Device",
  );
}
