import { formatBytes } from "#core/bytes.ts";
import type { Cpu, Dmi, Facts, Firmware, Tpm } from "#generated/provisioner/facts/facts.ts";
import { type ChassisClass, chassisClass } from "#provisioner/facts/chassis.ts";
import { knownText } from "#provisioner/profiles/known-text.ts";
import type { MachineName } from "./machine-name.ts";
import { gap, notKnown, type Row, row } from "./picture-row.ts";

/** The board, where the name of the machine does not say it all. */
export function boardRows({ dmi, deviceTree }: Facts, { by }: MachineName): readonly Row[] {
  if (by === "board") return [row("named by", ["its board: the product has no name"])];
  if (dmi === null && deviceTree !== null) return [row("board", deviceTree.compatible)];
  if (dmi === null) return [gap("board", "not known: neither SMBIOS nor a device tree")];
  const name = knownText(dmi.boardName);
  if (name !== null) {
    const [vendor, version] = [knownText(dmi.boardVendor), knownText(dmi.boardVersion)];
    return [row("board", [name, version ?? "", vendor === null ? "" : `of ${vendor}`])];
  }
  if (by === "product") return [];
  return [gap("board", "not known: its maker left placeholders, or nothing")];
}

const surroundings: Readonly<Record<NonNullable<Facts["virtualisation"]>, string>> = {
  none: "on bare metal",
  kvm: "guest of KVM",
  qemu: "guest of QEMU, perhaps emulated",
  xen: "guest of Xen",
  microsoft: "guest of Hyper-V",
  vmware: "guest of VMware",
  oracle: "guest of VirtualBox",
  amazon: "guest on Amazon EC2",
  google: "guest on Google Compute Engine",
  parallels: "guest of Parallels",
  bhyve: "guest of bhyve",
  apple: "guest of Apple's hypervisor",
  bochs: "in Bochs, emulated",
  container: "in a container",
  other: "guest of a hypervisor that does not say its name",
};

/** What it looks like, and what it runs in. */
export function kindRow({ dmi, virtualisation }: Facts): Row {
  const chassis = chassisClass(dmi?.chassisType ?? null) ?? "";
  if (virtualisation !== null) return row("kind", [chassis, surroundings[virtualisation]]);
  return gap("kind", `${chassis === "" ? "" : `${chassis}; `}whether it is a guest is ${notKnown}`);
}

const firmwareNames = { uefi: "UEFI", bios: "BIOS", "device-tree": "device tree" } as const;

/** What started the kernel. */
export function firmwareRow(
  { type, secureBoot, setupMode, platformBits }: Firmware,
  dmi: Dmi | null,
): Row {
  if (type === null) return gap("firmware");
  const version = knownText(dmi?.biosVersion ?? null);
  const kind = [`${firmwareNames[type]} ${version ?? ""}`, dmi?.biosDate ?? ""];
  const maker = knownText(dmi?.biosVendor ?? null) ?? "";
  if (type !== "uefi") return row("firmware", [...kind, maker]);
  const fields = [
    ...kind,
    `Secure Boot ${secureBoot === null ? notKnown : secureBoot ? "on" : "off"}`,
    setupMode === true ? "setup mode" : "",
    platformBits === 32 ? "32 bits" : "",
    maker,
  ];
  return { label: "firmware", lines: [fields], isGap: secureBoot === null };
}

/** The first TPM. */
export function tpmRow(tpm: Tpm | null): Row {
  if (tpm === null) return row("TPM", ["none seen"]);
  return tpm.version === null
    ? gap("TPM", `of a version that is ${notKnown}`)
    : row("TPM", [tpm.version]);
}

const portable: ReadonlySet<ChassisClass> = new Set([
  "laptop",
  "convertible",
  "tablet",
  "handheld",
]);

/** A battery; that there is none, or that it is not known, matters of machines that are carried about. */
export function batteryRows(hasBattery: boolean | null, dmi: Dmi | null): readonly Row[] {
  if (hasBattery === true) return [row("battery", ["yes"])];
  const chassis = chassisClass(dmi?.chassisType ?? null);
  if (chassis === null || !portable.has(chassis)) return [];
  return [hasBattery === null ? gap("battery", notKnown) : row("battery", ["none"])];
}

/** The processor and how many there are of it. */
export function processorRow(cpu: Cpu): Row {
  const { architecture, sockets, cores, threads } = cpu;
  const name = processorName(cpu);
  const count = (many: number | null, one: string) =>
    many === null ? "" : `${many} ${one}${many === 1 ? "" : "s"}`;
  const counts = [
    architecture ?? "",
    sockets === 1 ? "" : count(sockets, "socket"),
    count(cores, "core"),
    count(threads, "thread"),
  ];
  return {
    label: "processor",
    lines: [[name ?? notKnown], counts],
    isGap: name === null || architecture === null || threads === null,
  };
}

/** What a processor calls itself; an ARM one says only whose part of which number it is. */
function processorName({ name, architecture, vendor, family, model }: Cpu): string | null {
  if (name !== null) return name;
  if (vendor === null) return null;
  if (model === null) return vendor;
  return /^(aarch64|armv)/.test(architecture ?? "")
    ? `${vendor} part 0x${model.toString(16)}`
    : `${vendor} family ${family ?? "?"} model ${model}`;
}

/** Memory that the kernel can use. */
export function memoryRow(bytes: number | null): Row {
  return bytes === null ? gap("memory") : row("memory", [formatBytes(bytes)]);
}
