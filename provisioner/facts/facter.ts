import type {
  BlockDevice,
  Dmi,
  Facts,
  NetworkInterface,
  PciDevice,
  UsbDevice,
} from "#generated/provisioner/facts/facts.ts";
import { chassisClass } from "./chassis.ts";
import { factualFlags } from "./cpu-flags.ts";
import { isFingerprintReader, isThereCamera } from "./features.ts";
import { genericFacts } from "./generic-facts.ts";
import { gpusOf } from "./gpus.ts";

const maxItems = 1024;
const maxTextLength = 256;

/** A report of nixos-facter, version 1 or 2: a mapping with its hardware by kind. */
export interface FacterReport {
  readonly version: number;
  readonly system: string;
  readonly hardware: Readonly<Record<string, unknown>>;
  readonly smbios?: unknown;
  readonly uefi?: unknown;
  readonly virtualisation?: unknown;
}

/** Whether parsed JSON is a report of nixos-facter. */
export function isFacterReport(value: unknown): value is FacterReport {
  const { version, system, hardware } = mapping(value);
  return (
    (version === 1 || version === 2) &&
    typeof system === "string" &&
    Object.keys(mapping(hardware)).length > 0
  );
}

/** The version of what is a report of nixos-facter by its form, and of a version that is not understood. */
export function otherVersion(value: unknown): number | undefined {
  const { version, system, hardware } = mapping(value);
  const isReport = typeof system === "string" && Object.keys(mapping(hardware)).length > 0;
  return isReport && typeof version === "number" && version !== 1 && version !== 2
    ? version
    : undefined;
}

/**
 * The facts that a report of nixos-facter holds; what it does not hold is unknown. It knows no
 * device tree, no part number and no product family, and no more of an address than that there is
 * one. Tolerant: a part that has another form than expected is unknown, never an error.
 */
export function factsFromFacter(report: FacterReport): Facts {
  const smbios = mapping(report.smbios);
  const hardware = mapping(report.hardware);
  const generic = genericFacts(text(report.system.split("-")[0]));
  const dmi = dmiOf(smbios);
  const pci = pciOf(hardware);
  const usb = usbOf(hardware);
  return {
    ...generic,
    dmi,
    chassis: chassisClass(dmi?.chassisType ?? null),
    cpu: { ...generic.cpu, ...cpuOf(mapping(list(hardware["cpu"])[0])) },
    memoryBytes: memoryOf(list(hardware["memory"])),
    pci,
    gpus: gpusOf(pci, () => null),
    usb,
    blockDevices: list(hardware["disk"]).flatMap(diskOf),
    network: list(hardware["network_interface"]).flatMap(interfaceOf),
    firmware: {
      ...generic.firmware,
      ...firmwareOf(mapping(report.uefi), generic.cpu.architecture),
    },
    features: {
      ...generic.features,
      bluetooth: list(hardware["bluetooth"]).length > 0,
      fingerprint: usb.some(isFingerprintReader),
      camera: isThereCamera(pci, usb),
    },
    virtualisation: virtualisationOf(report.virtualisation, dmi),
  };
}

type Mapping = Readonly<Record<string, unknown>>;

function dmiOf(smbios: Mapping): Dmi | null {
  const system = first(smbios["system"]);
  const board = first(smbios["board"]);
  const bios = first(smbios["bios"]);
  const chassis = first(smbios["chassis"]);
  if (![system, board, bios, chassis].some((part) => Object.keys(part).length > 0)) return null;
  const [, month, day, year] = /^(\d{2})\/(\d{2})\/(\d{4})$/.exec(text(bios["date"]) ?? "") ?? [];
  return {
    sysVendor: text(system["manufacturer"]),
    productName: text(system["product"]),
    productFamily: text(system["family"]),
    productVersion: text(system["version"]),
    productSku: text(system["sku"]),
    boardVendor: text(board["manufacturer"]),
    boardName: text(board["product"]),
    boardVersion: text(board["version"]),
    biosVendor: text(bios["vendor"]),
    biosVersion: text(bios["version"]),
    biosDate: year === undefined ? null : `${year}-${month}-${day}`,
    chassisType: count(mapping(chassis["chassis_type"])["value"], 255),
    chassisVendor: text(chassis["manufacturer"]),
    chassisAssetTag: null,
  };
}

function cpuOf(cpu: Mapping): Partial<Facts["cpu"]> {
  const features = texts(cpu["features"]);
  const x86 = text(cpu["architecture"]) === "x86_64";
  const vendor = text(cpu["vendor_name"]);
  return {
    flags: features.length === 0 ? null : factualFlags(features),
    // On ARM the report's numbers are not those of the kernel.
    ...(x86
      ? {
          vendor: vendor === "unknown" ? null : vendor,
          family: count(cpu["family"]),
          model: count(cpu["model"]),
          stepping: count(cpu["stepping"]),
        }
      : {}),
    name: text(cpu["model_name"]),
    hypervisor: x86 && features.length > 0 ? features.includes("hypervisor") : null,
  };
}

function memoryOf(memory: readonly unknown[]): number | null {
  const resources = list(mapping(memory[0])["resources"]).map(mapping);
  return count(resources.find((resource) => resource["type"] === "phys_mem")?.["range"]);
}

/** Devices of every kind that hang on a bus, each once. */
function devicesOn(bus: string, hardware: Mapping): readonly Mapping[] {
  return Object.values(hardware)
    .flatMap(list)
    .map(mapping)
    .filter((device) => text(mapping(device["bus_type"])["name"]) === bus);
}

function pciOf(hardware: Mapping): PciDevice[] {
  const found = new Map<string, PciDevice>();
  for (const device of devicesOn("PCI", hardware)) {
    const slot = text(device["sysfs_bus_id"]);
    const vendor = hex(device["vendor"], 4);
    const id = hex(device["device"], 4);
    if (slot === null || vendor === null || id === null || found.size >= maxItems) continue;
    const parts = [device["base_class"], device["sub_class"], device["pci_interface"]];
    found.set(slot, {
      slot,
      vendor,
      device: id,
      subsystemVendor: hex(device["sub_vendor"], 4),
      subsystemDevice: hex(device["sub_device"], 4),
      class:
        hex(device["base_class"], 2) === null
          ? null
          : parts.map((part) => hex(part, 2) ?? "00").join(""),
      driver: text(device["driver"]),
      module: text(device["driver_module"]),
    });
  }
  return [...found.values()].sort((a, b) => (a.slot < b.slot ? -1 : 1));
}

/** The report has a line for each interface of a device. */
function usbOf(hardware: Mapping): UsbDevice[] {
  const found = new Map<string, UsbDevice>();
  for (const device of devicesOn("USB", hardware)) {
    const [, port] = /^([0-9]+-[1-9][0-9.]*):/.exec(text(device["sysfs_bus_id"]) ?? "") ?? [];
    const vendor = hex(device["vendor"], 4);
    const product = hex(device["device"], 4);
    if (port === undefined || vendor === null || product === null || found.size >= maxItems)
      continue;
    const known = found.get(port);
    const detail = mapping(device["detail"]);
    const interfaceClass = hex(detail["interface_class"], 2);
    found.set(port, {
      port,
      vendor,
      product,
      class: hex(detail["device_class"], 2),
      interfaceClasses: merged(
        known?.interfaceClasses,
        interfaceClass === null ? [] : [interfaceClass],
      ),
      manufacturer: text(mapping(device["vendor"])["name"]),
      name: text(mapping(device["device"])["name"]),
      modules: merged(known?.modules, texts(device["driver_modules"])),
    });
  }
  return [...found.values()].sort((a, b) => (a.port < b.port ? -1 : 1));
}

function diskOf(value: unknown): BlockDevice[] {
  const disk = mapping(value);
  const name = text(disk["sysfs_id"])?.split("/").at(-1);
  const modules = texts(disk["driver_modules"]);
  if (name === undefined || name === "" || modules.includes("floppy")) return [];
  const size = list(disk["resources"])
    .map(mapping)
    .find((resource) => resource["type"] === "size" && resource["unit"] === "sectors");
  const bytes = Number(size?.["value_1"]) * Number(size?.["value_2"]);
  const paths = list(disk["unix_device_names"]).flatMap((path) => text(path) ?? []);
  return [
    {
      name,
      sizeBytes: Number.isSafeInteger(bytes) && bytes > 0 ? bytes : null,
      removable: null,
      readOnly: null,
      rotational: null,
      model: text(disk["model"]),
      transport: transportOf(name, modules),
      wwid: null,
      byId: paths
        .flatMap((path) =>
          path.startsWith("/dev/disk/by-id/") ? [path.slice("/dev/disk/by-id/".length)] : [],
        )
        .sort()
        .slice(0, 32),
      modules: modules.slice(0, 32),
      partitionTable: null,
      signature: null,
      partitions: [],
    },
  ];
}

function transportOf(name: string, modules: readonly string[]): BlockDevice["transport"] {
  if (name.startsWith("nvme")) return "nvme";
  if (name.startsWith("mmcblk")) return "mmc";
  if (name.startsWith("xvd")) return "xen";
  const has = (...names: readonly string[]) =>
    modules.some((module) => names.includes(module.replaceAll("-", "_")));
  if (has("usb_storage", "uas")) return "usb";
  if (has("virtio_blk")) return "virtio";
  if (has("ahci", "ata_piix")) return "ata";
  return has("virtio_scsi") ? "scsi" : null;
}

function interfaceOf(value: unknown): NetworkInterface[] {
  const device = mapping(value);
  const name = texts(device["unix_device_names"])[0] ?? text(device["unix_device_name"]);
  if (name === undefined || name === null) return [];
  const kinds: Readonly<Record<string, NetworkInterface["kind"]>> = {
    Ethernet: "ethernet",
    WLAN: "wifi",
    Loopback: "loopback",
  };
  return [
    {
      name,
      mac: null,
      driver: text(device["driver"]),
      module: text(device["driver_module"]),
      kind: kinds[text(mapping(device["sub_class"])["name"]) ?? ""] ?? "other",
      physical: text(device["sysfs_device_link"]) !== null,
    },
  ];
}

/** A PC without UEFI has a BIOS; of another machine it is not told what it has. */
function firmwareOf(uefi: Mapping, architecture: string | null): Partial<Facts["firmware"]> {
  if (typeof uefi["supported"] !== "boolean") return {};
  const bits = uefi["platform_size"];
  if (uefi["supported"])
    return { type: "uefi", platformBits: bits === 64 || bits === 32 ? bits : null };
  const pc = architecture === "x86_64" || architecture === "i686";
  return { type: pc ? "bios" : null, secureBoot: false, setupMode: false };
}

/** The report believes the processor's hypervisor leaf: QEMU that imitates Hyper-V is no Hyper-V. */
function virtualisationOf(value: unknown, dmi: Dmi | null): Facts["virtualisation"] {
  const known = [
    "none",
    "kvm",
    "qemu",
    "xen",
    "microsoft",
    "vmware",
    "oracle",
    "amazon",
    "google",
    "parallels",
    "bhyve",
    "apple",
    "bochs",
  ] as const;
  if (value === "vm-other") return "other";
  if (value === "container-other") return "container";
  const found = known.find((name) => name === value) ?? null;
  const isQemu = dmi?.sysVendor === "QEMU" || /^pc-(q35|i440fx)-/.test(dmi?.productVersion ?? "");
  return found === "microsoft" && isQemu ? "kvm" : found;
}

function merged(known: readonly string[] | undefined, more: readonly string[]): string[] {
  return [...new Set([...(known ?? []), ...more])].sort().slice(0, 32);
}

function mapping(value: unknown): Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Mapping)
    : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, maxItems) : [];
}

/** A mapping, or the first of a list of them. */
function first(value: unknown): Mapping {
  return mapping(Array.isArray(value) ? value[0] : value);
}

function text(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const clean = value
    .replaceAll(/[\p{C}\ufffd]/gu, "")
    .trim()
    .slice(0, maxTextLength)
    .trim();
  return clean === "" ? null : clean;
}

function texts(value: unknown): readonly string[] {
  return list(value).flatMap((item) => text(item) ?? []);
}

function count(value: unknown, max = Number.MAX_SAFE_INTEGER): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= max
    ? value
    : null;
}

/** The number of an id or class, as hexadecimal digits. */
function hex(value: unknown, digits: number): string | null {
  const number = count(mapping(value)["value"], 16 ** digits - 1);
  return number === null ? null : number.toString(16).padStart(digits, "0");
}
