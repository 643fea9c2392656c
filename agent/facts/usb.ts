import type { UsbDevice } from "#generated/provisioner/facts/facts.ts";
import type { KernelFiles } from "./kernel-files.ts";

const directory = "/sys/bus/usb/devices";
const maxEntries = 4096;
const maxDevices = 1024;
const maxInterfaces = 32;

/**
 * USB devices by port, with what is bound to their interfaces. Serial numbers are not read. `[]` on
 * a machine without USB, `null` when sysfs is not there to say so.
 */
export function readUsb(kernel: KernelFiles): UsbDevice[] | null {
  const names = kernel.list(directory, maxEntries);
  if (names === null) return kernel.exists("/sys/bus") ? [] : null;
  const ports = names.filter((name) => /^[0-9]+-[0-9.]+$/.test(name));
  if (ports.length > maxDevices) kernel.note(directory, "too-many");
  const devices: UsbDevice[] = [];
  for (const port of ports.slice(0, maxDevices)) {
    const interfaces = names.filter((name) => name.startsWith(`${port}:`)).slice(0, maxInterfaces);
    const device = readDevice(kernel, port, interfaces);
    if (device === null) kernel.note(`${directory}/${port}/uevent`, "malformed");
    else devices.push(device);
  }
  return devices;
}

function readDevice(
  kernel: KernelFiles,
  port: string,
  interfaces: readonly string[],
): UsbDevice | null {
  const uevent = kernel.pairs(`${directory}/${port}/uevent`);
  // PRODUCT is vendor/product/version in hexadecimal, TYPE is class/subclass/protocol in decimal.
  const [, vendor, product] =
    /^([0-9a-f]{1,4})\/([0-9a-f]{1,4})\/[0-9a-f]{1,4}$/.exec(uevent.get("PRODUCT") ?? "") ?? [];
  if (vendor === undefined || product === undefined) return null;
  const classes = new Set<string>();
  const modules = new Set<string>();
  for (const name of interfaces) {
    const interfaceClass = classOf(kernel.pairs(`${directory}/${name}/uevent`).get("INTERFACE"));
    const module = kernel.linkName(`${directory}/${name}/driver/module`);
    if (interfaceClass !== null) classes.add(interfaceClass);
    if (module !== null) modules.add(module);
  }
  return {
    port,
    vendor: vendor.padStart(4, "0"),
    product: product.padStart(4, "0"),
    class: classOf(uevent.get("TYPE")),
    interfaceClasses: [...classes].sort(),
    manufacturer: kernel.value(`${directory}/${port}/manufacturer`),
    name: kernel.value(`${directory}/${port}/product`),
    modules: [...modules].sort(),
  };
}

function classOf(text: string | undefined): string | null {
  const [, number] = /^([0-9]{1,3})\//.exec(text ?? "") ?? [];
  if (number === undefined || Number(number) > 255) return null;
  return Number(number).toString(16).padStart(2, "0");
}
