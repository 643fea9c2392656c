import type { Cpu, DeviceTree, Dmi, Facts, PciDevice } from "#generated/provisioner/facts/facts.ts";
import { containerMarks } from "../container.ts";
import { readHypervisorNode } from "./device-tree.ts";
import type { KernelFiles } from "./kernel-files.ts";

/** What the machine runs in; see the schema. */
export type Virtualisation = Facts["virtualisation"];

/** What was read before, and is evidence here. */
export interface VirtualisationEvidence {
  readonly dmi: Dmi | null;
  readonly deviceTree: DeviceTree | null;
  readonly cpu: Cpu;
  readonly pci: readonly PciDevice[] | null;
}

/** What the machine runs in, and who says what of it. */
export type SeenVirtualisation = Pick<Facts, "virtualisation" | "virtualisationWitnesses">;

type Source = Facts["virtualisationWitnesses"][number]["source"];

/**
 * What the machine runs in, from files alone. SMBIOS goes before what the processor's hypervisor
 * leaf left behind: QEMU that shows Hyper-V's enlightenments to its guests (Vultr does) looks like
 * Hyper-V there, and is none.
 */
export function readVirtualisation(
  kernel: KernelFiles,
  evidence: VirtualisationEvidence,
): SeenVirtualisation {
  const clocks = (
    kernel.value("/sys/devices/system/clocksource/clocksource0/available_clocksource") ?? ""
  ).split(/\s+/);
  const { hypervisor } = evidence.cpu;
  const said: Readonly<Record<Source, Virtualisation>> = {
    container: containerMarks.some((path) => kernel.exists(path)) ? "container" : null,
    smbios: evidence.dmi === null ? null : byDmi(evidence.dmi),
    xen: byXen(kernel),
    cpu: hypervisor === null ? null : hypervisor ? "other" : "none",
    "device-tree": byDeviceTree(kernel, evidence.deviceTree),
    clocks: byClocks(clocks),
    devices: byDevices(kernel, evidence.pci),
  };
  return {
    virtualisation: weigh(said, accelerated(clocks), evidence.deviceTree !== null),
    virtualisationWitnesses: (Object.keys(said) as Source[]).flatMap((source) => {
      const says = said[source];
      return says === null ? [] : [{ source, says }];
    }),
  };
}

function weigh(
  said: Readonly<Record<Source, Virtualisation>>,
  fast: boolean,
  isBoard: boolean,
): Virtualisation {
  if (said.container !== null) return said.container;
  if (said.smbios === "amazon" || said.smbios === "google")
    return said.cpu === "none" ? "none" : said.smbios;
  if (said.smbios === "qemu") return fast ? "kvm" : "qemu";
  const named = said.smbios ?? said.xen;
  if (named !== null || said.cpu === "none") return named ?? "none";
  const told = said["device-tree"] ?? said.clocks ?? said.devices;
  // ARM has no bit that says so: a named board without a sign of a hypervisor is taken at its word.
  return told ?? said.cpu ?? (isBoard ? "none" : null);
}

/** Dom0 of Xen and its guests without hardware support show this; a Xen guest on EC2 too. */
function byXen(kernel: KernelFiles): Virtualisation {
  const there = kernel.value("/sys/hypervisor/type") === "xen" || kernel.exists("/proc/xen");
  return there ? "xen" : null;
}

/** What SMBIOS strings name a hypervisor; `qemu` stands for QEMU with or without KVM. */
function byDmi(dmi: Dmi): Exclude<Virtualisation, null> | null {
  const { sysVendor, productName } = dmi;
  if (sysVendor === "Amazon EC2") return "amazon";
  if (productName === "Google Compute Engine") return "google";
  if (sysVendor === "Microsoft Corporation")
    return productName === "Virtual Machine" ? "microsoft" : null;
  if (sysVendor === "Apple Inc.")
    return productName?.startsWith("Apple Virtualization") === true ? "apple" : null;
  // The machine type of QEMU stays in the version where a cloud puts its own name in the others.
  if (sysVendor === "QEMU" || /^(pc-(q35|i440fx)|virt)-[0-9]/.test(dmi.productVersion ?? ""))
    return "qemu";
  if (/^(KVM|OpenStack|KubeVirt|RHEV|oVirt)/.test(productName ?? "")) return "qemu";
  if (sysVendor === "VMware, Inc." || productName?.startsWith("VMware") === true) return "vmware";
  if (sysVendor === "innotek GmbH" || productName === "VirtualBox") return "oracle";
  if (sysVendor === "Xen" || productName === "HVM domU") return "xen";
  if (sysVendor?.startsWith("Parallels") === true) return "parallels";
  if (dmi.biosVendor === "BHYVE" || productName === "BHYVE") return "bhyve";
  if (sysVendor === "Bochs" || dmi.biosVendor === "Bochs") return "bochs";
  return null;
}

function byDeviceTree(kernel: KernelFiles, deviceTree: DeviceTree | null): Virtualisation {
  const names = readHypervisorNode(kernel);
  if (names.includes("linux,kvm")) return "kvm";
  if (names.some((name) => name.startsWith("xen,"))) return "xen";
  if (names.some((name) => name.startsWith("vmware"))) return "vmware";
  return deviceTree?.compatible.includes("linux,dummy-virt") === true ? "qemu" : null;
}

/** A guest of KVM or of Hyper-V has the hypervisor's clock among its own. */
function byClocks(clocks: readonly string[]): Virtualisation {
  if (clocks.includes("kvm-clock")) return "kvm";
  if (clocks.includes("xen")) return "xen";
  return clocks.some((clock) => clock.startsWith("hyperv_clocksource")) ? "microsoft" : null;
}

function accelerated(clocks: readonly string[]): boolean {
  return (
    clocks.includes("kvm-clock") || clocks.some((clock) => clock.startsWith("hyperv_clocksource"))
  );
}

/** Bridges and buses that only a hypervisor has; virtio alone does not count, some network cards speak it. */
function byDevices(kernel: KernelFiles, pci: readonly PciDevice[] | null): Virtualisation {
  if ((kernel.list("/sys/bus/vmbus/devices", 1024) ?? []).length > 0) return "microsoft";
  const vendors = new Set((pci ?? []).map((device) => device.vendor));
  if (vendors.has("1b36") || vendors.has("1234")) return "qemu";
  if (vendors.has("15ad")) return "vmware";
  if (vendors.has("80ee")) return "oracle";
  return vendors.has("5853") ? "xen" : null;
}
