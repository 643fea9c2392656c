import { chassisType } from "#provisioner/facts/chassis.ts";
import type { Machine } from "./machine.ts";

/** What a dump of SMBIOS says of a machine: enough for a root that the fact reader reads. */
export interface SmbiosReport {
  /** Files of `/sys/class/dmi/id` by name; what the firmware leaves out is an empty string. */
  readonly dmi: Readonly<Record<string, string>>;
  readonly processor: SmbiosProcessor;
}

interface SmbiosProcessor {
  readonly manufacturer: string;
  readonly version: string;
  /** The words of CPUID leaf 1, of an x86 one, or the main id of an ARM one; little endian. */
  readonly id: readonly number[];
  /** Name of its family, as the SMBIOS specification has it; empty where only its number is known. */
  readonly family: string;
  readonly threads: number;
}

/** The file of each field of a structure, by the structure's type. SMBIOS 3.7, sections 7.1 to 7.4. */
const files = {
  "BIOS Information": {
    Vendor: "bios_vendor",
    Version: "bios_version",
    "Release Date": "bios_date",
  },
  "System Information": {
    Manufacturer: "sys_vendor",
    "Product Name": "product_name",
    Version: "product_version",
    "SKU Number": "product_sku",
    Family: "product_family",
  },
  "Base Board Information": {
    Manufacturer: "board_vendor",
    "Product Name": "board_name",
    Version: "board_version",
  },
  "Chassis Information": { Manufacturer: "chassis_vendor", Version: "chassis_version" },
} as const;

/** What dmidecode prints where the firmware says nothing: the kernel shows an empty string. */
const notSaid = "Not Specified";

/** Reads what dmidecode prints. */
export function readDump(text: string): SmbiosReport {
  const section = (title: string) =>
    text.split(/\n\n/).find((part) => part.includes(`\n${title}\n`)) ?? "";
  const value = (title: string, field: string) => {
    const found = new RegExp(`^\t${field}: (.*)$`, "m").exec(section(title))?.[1] ?? "";
    return found.trim() === notSaid ? "" : found;
  };
  const dmi: Record<string, string> = {};
  for (const [title, fields] of Object.entries(files)) {
    for (const [field, file] of Object.entries(fields)) dmi[file] = value(title, field);
  }
  dmi["chassis_type"] = String(chassisType(value("Chassis Information", "Type")) ?? "");
  const of = (field: string) => value("Processor Information", field);
  return {
    dmi,
    processor: {
      manufacturer: of("Manufacturer"),
      version: of("Version"),
      id: of("ID")
        .split(" ")
        .map((byte) => Number.parseInt(byte, 16) || 0),
      family: of("Family"),
      threads: Number(of("Thread Count")) || Number(of("Core Count")) || 1,
    },
  };
}

interface Structure {
  readonly type: number;
  readonly bytes: Uint8Array;
  readonly strings: readonly string[];
}

/** Reads a table as `dmidecode --dump-bin` writes it: the entry point, and the structures behind it. */
export function readTable(bytes: Uint8Array): SmbiosReport {
  const structures = [...structuresOf(bytes.subarray(32))];
  const text = ({ strings, bytes: of }: Structure, offset: number) =>
    strings[(of[offset] ?? 0) - 1] ?? "";
  const first = (type: number) => structures.find((each) => each.type === type) ?? nothing;
  const [bios, system, board, chassis, processor] = [0, 1, 2, 3, 4].map(first);
  if (!bios || !system || !board || !chassis || !processor) throw new Error("five structures");
  const threads = processor.bytes[0x25] ?? 0;
  return {
    dmi: {
      bios_vendor: text(bios, 0x04),
      bios_version: text(bios, 0x05),
      bios_date: text(bios, 0x08),
      sys_vendor: text(system, 0x04),
      product_name: text(system, 0x05),
      product_version: text(system, 0x06),
      product_sku: text(system, 0x19),
      product_family: text(system, 0x1a),
      board_vendor: text(board, 0x04),
      board_name: text(board, 0x05),
      board_version: text(board, 0x06),
      chassis_vendor: text(chassis, 0x04),
      chassis_type: String((chassis.bytes[0x05] ?? 0) & 0x7f),
    },
    processor: {
      manufacturer: text(processor, 0x07),
      version: text(processor, 0x10),
      id: [...processor.bytes.subarray(0x08, 0x10)],
      family: "",
      threads: threads === 0 ? 1 : threads,
    },
  };
}

const nothing: Structure = { type: -1, bytes: new Uint8Array(), strings: [] };

function* structuresOf(table: Uint8Array): Generator<Structure> {
  const latin = new TextDecoder("latin1");
  let at = 0;
  while (at + 4 <= table.length) {
    const [type = 127, length = 0] = table.subarray(at);
    if (length < 4) return;
    const end = endOfStrings(table, at + length);
    const all = latin.decode(table.subarray(at + length, end));
    yield { type, bytes: table.subarray(at, at + length), strings: all.split("\0") };
    if (type === 127) return;
    at = end + 2;
  }
}

/** Where the two zeros begin that end a structure's strings. */
function endOfStrings(table: Uint8Array, from: number): number {
  for (let at = from; at + 1 < table.length; at++) {
    if (table[at] === 0 && table[at + 1] === 0) return at;
  }
  return table.length;
}

/**
 * The machine of a report; what SMBIOS does not tell is not there: no buses, no disks, no device tree. U-Boot
 * gives no number to a processor, which is an ARM one then.
 */
export function machineOfReport(name: string, { dmi, processor }: SmbiosReport): Machine {
  const isArm = /^ARM/.test(processor.family) || processor.id.every((byte) => byte === 0);
  const isGuest = /^(QEMU|Red Hat)$/.test(dmi["sys_vendor"] ?? "");
  const cpuinfo = isArm ? armCpuinfo(processor) : x86Cpuinfo(processor, isGuest);
  return {
    ...{ name, kernelRelease: "6.12.40", architecture: isArm ? "aarch64" : "x86_64" },
    ...{ cpuinfo, cpuinfoEnd: "", threads: processor.threads, memoryKibibytes: 8_000_000 },
    ...{
      dmi,
      deviceTree: null,
      pci: isGuest ? [hostBridge] : [],
      usb: [],
      disks: [],
      fileSystems: [],
      network: [],
    },
    ...{ uefi: { secureBoot: false, setupMode: false }, tpm: null, clocks: "tsc", files: {} },
  };
}

/** What every Q35 machine of QEMU has at its root. */
const hostBridge = {
  ...{ slot: "0000:00:00.0", id: "8086:29c0", subsystem: "1af4:1100", class: "060000" },
};

const arm = 0x41;

/** MIDR_EL1, where that is what the firmware gives: implementer, variant, architecture, part number, revision. */
function armCpuinfo({ id: [revision = 0, part = 0, high = 0, implementer] }: SmbiosProcessor) {
  if (implementer !== arm) return "processor\t: {n}\nCPU architecture: 8\n";
  const hex = (value: number) => `0x${value.toString(16)}`;
  return `processor\t: {n}
CPU implementer\t: ${hex(arm)}
CPU architecture: 8
CPU variant\t: ${hex(high >> 4)}
CPU part\t: ${hex((part << 4) | (revision >> 4))}
CPU revision\t: ${revision & 0xf}
`;
}

const vendors = [
  [/intel/i, "GenuineIntel"],
  [/advanced micro devices|amd/i, "AuthenticAMD"],
] as const;

function x86Cpuinfo(
  { manufacturer, version, id, threads }: SmbiosProcessor,
  isGuest: boolean,
): string {
  const vendor = vendors.find(([names]) => names.test(`${manufacturer} ${version}`))?.[1];
  // CPUID leaf 1, EAX: stepping, model, family, and their extensions.
  const [low = 0, middle = 0, upper = 0, extended = 0] = id;
  const family = middle & 0xf;
  const wholeFamily = family === 0xf ? family + ((upper >> 4) | ((extended & 0xf) << 4)) : family;
  const model = (low >> 4) | (family === 0xf || family === 6 ? (upper & 0xf) << 4 : 0);
  return `processor\t: {n}
vendor_id\t: ${vendor ?? (wholeFamily >= 0x15 ? "AuthenticAMD" : "GenuineIntel")}
cpu family\t: ${wholeFamily}
model\t\t: ${model}
model name\t: ${version.trim()}
stepping\t: ${low & 0xf}
physical id\t: 0
siblings\t: ${threads}
core id\t\t: {n}
cpu cores\t: ${threads}
flags\t\t: fpu lm${isGuest ? " hypervisor" : ""}
`;
}
