import { Fault } from "#core/fault.ts";
import type {
  BlockDevice,
  Cpu,
  Dmi,
  Facts,
  NetworkInterface,
  PciDevice,
  UsbDevice,
} from "#generated/provisioner/facts/facts.ts";
import type { FacterReport } from "./facter.ts";

/** A mapping of a report; what is not known is left out of it. */
type Entry = Readonly<Record<string, unknown>>;

/** A number with what it is called, as hwinfo prints one. */
interface Named {
  readonly hex: string;
  readonly value: number;
  readonly name?: string;
}

const busPci = named(0x04, "PCI");
const busUsb = named(0x86, "USB");
const sectorBytes = 512;

/**
 * The facts as a report of nixos-facter, version 1, with what NixOS's `hardware.facter` reads: drivers
 * of disks, controllers and graphics, interfaces of the network, processor, firmware, virtualisation.
 * No serial number and no hardware address is in it, and no monitor, which facts do not know. Throws
 * `facts/invalid` where not even the architecture is known, without which NixOS can do nothing.
 */
export function facterFromFacts(facts: Facts): FacterReport {
  const { architecture } = facts.cpu;
  if (architecture === null) {
    throw new Fault(
      "facts/invalid",
      "the processor's architecture is unknown: no report without it",
      {
        hint: "facts of a whole machine name it: firstlight facts --json",
      },
    );
  }
  return {
    version: 1,
    system: `${architecture}-linux`,
    ...(facts.virtualisation === null
      ? {}
      : { virtualisation: facterVirtualisation(facts.virtualisation) }),
    hardware: hardwareOf(facts, architecture),
    smbios: facts.dmi === null ? {} : smbiosOf(facts.dmi),
    ...uefiOf(facts.firmware),
  };
}

/** A hypervisor without a name, and a container of any kind, in words of systemd-detect-virt. */
function facterVirtualisation(word: NonNullable<Facts["virtualisation"]>): string {
  return word === "other" ? "vm-other" : word === "container" ? "container-other" : word;
}

function hardwareOf(facts: Facts, architecture: string): Readonly<Record<string, unknown>> {
  const entries: (readonly [kind: string, entry: Entry])[] = [
    ["cpu", cpuOf(facts.cpu, architecture)],
    ...memoryOf(facts.memoryBytes),
    ...(facts.pci ?? []).map(pciOf),
    ...(facts.usb ?? []).flatMap((device) => usbOf(device, facts.features.bluetooth === true)),
    ...(facts.blockDevices ?? []).map(diskOf),
    ...(facts.network ?? []).flatMap(interfaceOf),
  ];
  // One on a serial line is no device of a bus.
  if (facts.features.bluetooth === true && !entries.some(([kind]) => kind === "bluetooth"))
    entries.push(["bluetooth", { class_list: ["bluetooth"], base_class: named(0x115) }]);
  const hardware: Record<string, unknown[]> = {};
  for (const [index, [kind, entry]] of entries.entries()) {
    const list = hardware[kind] ?? [];
    // Processors have no place in hwinfo's list of devices.
    list.push(kind === "cpu" ? entry : { index, attached_to: 0, ...entry });
    hardware[kind] = list;
  }
  return { ...hardware, system: present({ form_factor: formFactor(facts.chassis) }) };
}

/** hwinfo knows laptops, desktops and servers. */
function formFactor(chassis: Facts["chassis"]): string | null {
  return chassis === "convertible" ? "laptop" : chassis;
}

function cpuOf(cpu: Cpu, architecture: string): Entry {
  return present({
    architecture,
    vendor_name: cpu.vendor ?? "unknown", // NixOS refuses a report in which there is none
    family: cpu.family,
    model: cpu.model,
    stepping: cpu.stepping,
    model_name: cpu.name,
    features: cpu.flags ?? [],
  });
}

function memoryOf(bytes: number | null): readonly (readonly [string, Entry])[] {
  if (bytes === null) return [];
  const entry = {
    class_list: ["memory"],
    base_class: named(0x101, "Internally Used Class"),
    sub_class: named(2, "Main Memory"),
    model: "Main Memory",
    resources: [{ type: "phys_mem", range: bytes }],
  };
  return [["memory", entry]];
}

/** Kinds of PCI functions by base class and sub-class, the longer first. */
const kindsOfPci: readonly (readonly [classes: string, kind: string])[] = [
  ["0c00", "firewire_controller"],
  ["0c03", "usb_controller"],
  ["0401", "sound"],
  ["0403", "sound"],
  ["0d11", "bluetooth"],
  ["01", "storage_controller"],
  ["02", "network_controller"],
  ["03", "graphics_card"],
  ["06", "bridge"],
];

function pciOf(device: PciDevice): readonly [string, Entry] {
  const [, kind = "pci"] =
    kindsOfPci.find(([classes]) => device.class?.startsWith(classes) === true) ?? [];
  const [, bus = "", number = ""] = /([0-9a-f]{2}):([0-9a-f]{2})\.[0-7]$/.exec(device.slot) ?? [];
  const classPart = (at: number) =>
    device.class === null ? null : number16(device.class.slice(at, at + 2));
  const entry = present({
    class_list: [kind, ...(kind === "pci" ? [] : ["pci"])],
    bus_type: busPci,
    slot: { bus: Number.parseInt(bus, 16) || 0, number: Number.parseInt(number, 16) || 0 },
    base_class: classPart(0),
    sub_class: classPart(2),
    pci_interface: classPart(4),
    vendor: number16(device.vendor),
    sub_vendor: number16(device.subsystemVendor),
    device: number16(device.device),
    sub_device: number16(device.subsystemDevice),
    sysfs_bus_id: device.slot,
    ...driversOf(device.driver, device.module === null ? [] : [device.module]),
  });
  return [kind, entry];
}

/** Kinds of USB devices by the class of an interface; `bluetooth` only where there is some. */
const kindsOfUsb: Readonly<Record<string, string>> = { "09": "hub", "0e": "camera" };

/** One line for each class of interfaces, and one at least; their numbers are made up. */
function usbOf(device: UsbDevice, hasBluetooth: boolean): readonly (readonly [string, Entry])[] {
  const classes = device.interfaceClasses.length === 0 ? [null] : device.interfaceClasses;
  return classes.map((interfaceClass, at) => {
    const kind =
      interfaceClass === "e0" && hasBluetooth
        ? "bluetooth"
        : (kindsOfUsb[interfaceClass ?? ""] ?? "usb");
    const entry = present({
      class_list: [...(kind === "usb" ? [] : [kind]), "usb"],
      bus_type: busUsb,
      vendor: number16(device.vendor, device.manufacturer),
      device: number16(device.product, device.name),
      sysfs_bus_id: `${device.port}:1.${at}`,
      detail: present({
        device_class: number16(device.class),
        interface_class: number16(interfaceClass),
      }),
      hotplug: "usb",
      ...driversOf(null, device.modules),
    });
    return [kind, entry] as const;
  });
}

/** How hwinfo calls the buses of disks. */
const busesOfDisks: Readonly<Record<string, Named>> = {
  nvme: named(0x96, "NVME"),
  ata: named(0x85, "IDE"),
  scsi: named(0x84, "SCSI"),
  sas: named(0x84, "SCSI"),
  usb: named(0x84, "SCSI"),
};

function diskOf(disk: BlockDevice): readonly [string, Entry] {
  const kind = /^sr[0-9]/.test(disk.name) ? "cdrom" : "disk";
  const entry = present({
    class_list: [kind, ...(disk.transport === "usb" ? ["usb"] : []), "block_device"],
    bus_type: busesOfDisks[disk.transport ?? ""],
    base_class: named(0x106, "Mass Storage Device"),
    sub_class: kind === "disk" ? named(0, "Disk") : named(2, "CD-ROM"),
    model: disk.model,
    sysfs_id: `/class/block/${disk.name}`,
    unix_device_name: `/dev/${disk.name}`,
    unix_device_names: [...disk.byId.map((name) => `/dev/disk/by-id/${name}`), `/dev/${disk.name}`],
    resources:
      disk.sizeBytes === null
        ? null
        : [
            {
              type: "size",
              unit: "sectors",
              value_1: disk.sizeBytes / sectorBytes,
              value_2: sectorBytes,
            },
          ],
    ...driversOf(null, disk.modules),
  });
  return [kind, entry];
}

/** Kinds of interfaces, by hwinfo's numbers and names; NixOS asks for an address by the names. */
const kindsOfInterfaces: Readonly<Partial<Record<NetworkInterface["kind"], Named>>> = {
  loopback: named(0, "Loopback"),
  ethernet: named(1, "Ethernet"),
  wifi: named(10, "WLAN"),
};

/** Interfaces of devices, and loopback: what the configuration makes is not the machine's. */
function interfaceOf(link: NetworkInterface): readonly (readonly [string, Entry])[] {
  if (!link.physical && link.kind !== "loopback") return [];
  const entry = present({
    class_list: ["network_interface"],
    base_class: named(0x107, "Network Interface"),
    sub_class: kindsOfInterfaces[link.kind] ?? named(0x80, "Other"),
    sysfs_id: `/class/net/${link.name}`,
    sysfs_device_link: link.physical ? `/class/net/${link.name}/device` : null,
    unix_device_name: link.name,
    unix_device_names: [link.name],
    ...driversOf(link.driver, link.module === null ? [] : [link.module]),
  });
  return [["network_interface", entry]];
}

function smbiosOf(dmi: Dmi): Entry {
  const [year, month, day] = dmi.biosDate?.split("-") ?? [];
  return {
    bios: present({
      vendor: dmi.biosVendor,
      version: dmi.biosVersion,
      date: dmi.biosDate === null ? null : `${month}/${day}/${year}`,
    }),
    board: present({
      manufacturer: dmi.boardVendor,
      product: dmi.boardName,
      version: dmi.boardVersion,
    }),
    chassis: present({
      manufacturer: dmi.chassisVendor,
      chassis_type: dmi.chassisType === null ? null : named(dmi.chassisType),
    }),
    system: present({
      manufacturer: dmi.sysVendor,
      product: dmi.productName,
      version: dmi.productVersion,
      sku: dmi.productSku,
      family: dmi.productFamily,
    }),
  };
}

function uefiOf(firmware: Facts["firmware"]): Entry {
  if (firmware.type === null) return {};
  const supported = firmware.type === "uefi";
  return { uefi: present({ supported, platform_size: firmware.platformBits }) };
}

function driversOf(driver: string | null, modules: readonly string[]): Entry {
  return {
    driver,
    driver_module: modules[0] ?? null,
    drivers: driver === null ? null : [driver],
    driver_modules: modules.length === 0 ? null : modules,
  };
}

/** Hexadecimal digits as a number with them. */
function number16(digits: string | null, name: string | null = null): Named | null {
  return digits === null ? null : named(Number.parseInt(digits, 16), name);
}

function named(value: number, name: string | null = null): Named {
  const hex = value.toString(16).padStart(4, "0");
  return name === null ? { hex, value } : { hex, name, value };
}

/** What is known of a mapping. */
function present(entries: Readonly<Record<string, unknown>>): Entry {
  return Object.fromEntries(
    Object.entries(entries).filter(([, value]) => value !== null && value !== undefined),
  );
}
