import t from "tap";
import type { Dmi, PciDevice } from "#generated/provisioner/facts/facts.ts";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";
import { fakeKernel } from "./fake-kernel.ts";
import { readVirtualisation, type Virtualisation } from "./virtualisation.ts";

interface Case {
  readonly name: string;
  readonly dmi?: Partial<Dmi>;
  readonly hypervisor?: boolean;
  readonly compatible?: readonly string[];
  readonly pciVendors?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly expected: Virtualisation;
  /** Who says what. */
  readonly witnesses?: readonly string[];
}

const clocks = "/sys/devices/system/clocksource/clocksource0/available_clocksource";

const cases: readonly Case[] = [
  {
    name: "a laptop",
    dmi: { sysVendor: "LENOVO", productName: "20T3SB5B00" },
    hypervisor: false,
    expected: "none",
  },
  {
    name: "a Surface is no Hyper-V guest",
    dmi: { sysVendor: "Microsoft Corporation", productName: "Surface Pro 7" },
    hypervisor: false,
    expected: "none",
  },
  {
    name: "Hyper-V",
    dmi: { sysVendor: "Microsoft Corporation", productName: "Virtual Machine" },
    hypervisor: true,
    expected: "microsoft",
  },
  {
    name: "Vultr: QEMU that shows Hyper-V's enlightenments",
    dmi: { sysVendor: "Vultr", productName: "VC2", productVersion: "pc-q35-8.2" },
    hypervisor: true,
    files: { [clocks]: "hyperv_clocksource_tsc_page hyperv_clocksource_msr acpi_pm\n" },
    expected: "kvm",
    witnesses: ["smbios: qemu", "cpu: other", "clocks: microsoft"],
  },
  {
    name: "QEMU with KVM",
    dmi: { sysVendor: "QEMU", productVersion: "pc-i440fx-9.0" },
    hypervisor: true,
    files: { [clocks]: "kvm-clock tsc\n" },
    expected: "kvm",
  },
  {
    name: "QEMU that emulates",
    dmi: { sysVendor: "QEMU", productVersion: "pc-q35-7.2" },
    hypervisor: true,
    files: { [clocks]: "tsc hpet\n" },
    expected: "qemu",
  },
  {
    name: "QEMU under a laptop's name",
    dmi: { sysVendor: "Framework", productName: "Laptop" },
    hypervisor: true,
    pciVendors: ["1b36"],
    expected: "qemu",
    witnesses: ["cpu: other", "devices: qemu"],
  },
  {
    name: "OpenStack",
    dmi: { sysVendor: "OpenStack Foundation", productName: "OpenStack Nova" },
    hypervisor: true,
    files: { [clocks]: "kvm-clock tsc\n" },
    expected: "kvm",
  },
  {
    name: "EC2 on Nitro",
    dmi: { sysVendor: "Amazon EC2", productName: "m6i.large" },
    hypervisor: true,
    expected: "amazon",
  },
  {
    name: "EC2 without a hypervisor",
    dmi: { sysVendor: "Amazon EC2", productName: "m5.metal" },
    hypervisor: false,
    expected: "none",
  },
  {
    name: "EC2 on Xen",
    dmi: { sysVendor: "Xen", productName: "HVM domU", biosVersion: "4.2.amazon" },
    hypervisor: true,
    expected: "xen",
  },
  {
    name: "Google",
    dmi: { sysVendor: "Google", productName: "Google Compute Engine" },
    hypervisor: true,
    expected: "google",
  },
  {
    name: "VMware",
    dmi: { sysVendor: "VMware, Inc.", productName: "VMware Virtual Platform" },
    hypervisor: true,
    expected: "vmware",
  },
  {
    name: "VirtualBox",
    dmi: { sysVendor: "innotek GmbH", productName: "VirtualBox" },
    hypervisor: true,
    expected: "oracle",
  },
  {
    name: "an Oracle server is no VirtualBox",
    dmi: { sysVendor: "Oracle Corporation", productName: "SUN SERVER X4-2" },
    hypervisor: false,
    expected: "none",
  },
  {
    name: "Firecracker: no SMBIOS",
    hypervisor: true,
    files: { [clocks]: "kvm-clock tsc\n" },
    expected: "kvm",
  },
  { name: "a hypervisor without a name", hypervisor: true, expected: "other" },
  { name: "Xen PV", files: { "/sys/hypervisor/type": "xen\n" }, expected: "xen" },
  {
    name: "Xen that shows only its own files",
    files: { "/proc/xen/capabilities": "" },
    expected: "xen",
    witnesses: ["xen: xen"],
  },
  { name: "ARM guest of QEMU without SMBIOS", compatible: ["linux,dummy-virt"], expected: "qemu" },
  {
    name: "ARM guest with ACPI, seen by its bridges",
    pciVendors: ["1b36", "1af4"],
    expected: "qemu",
  },
  {
    name: "a virtio network card alone is no guest",
    hypervisor: false,
    pciVendors: ["1af4"],
    expected: "none",
  },
  { name: "an ARM board", compatible: ["raspberrypi,4-model-b", "brcm,bcm2711"], expected: "none" },
  {
    name: "an ARM server that says nothing",
    dmi: { sysVendor: "Ampere", productName: "Mt. Jade" },
    expected: null,
  },
  {
    name: "a container",
    dmi: { sysVendor: "QEMU" },
    hypervisor: true,
    files: { "/run/systemd/container": "systemd-nspawn\n" },
    expected: "container",
    witnesses: ["container: container", "smbios: qemu", "cpu: other"],
  },
];

const noDmi: Dmi = {
  sysVendor: null,
  productName: null,
  productFamily: null,
  productVersion: null,
  productSku: null,
  boardVendor: null,
  boardName: null,
  boardVersion: null,
  biosVendor: null,
  biosVersion: null,
  biosDate: null,
  chassisType: null,
  chassisVendor: null,
  chassisAssetTag: null,
};

for (const each of cases) {
  t.test(`${each.name}: ${each.expected ?? "unknown"}`, async (t) => {
    const { cpu } = genericFacts("x86_64");
    const kernel = fakeKernel(t.testdir({}), each.files ?? {});
    const evidence = {
      dmi: each.dmi === undefined ? null : { ...noDmi, ...each.dmi },
      deviceTree:
        each.compatible === undefined ? null : { model: null, compatible: [...each.compatible] },
      cpu: { ...cpu, hypervisor: each.hypervisor ?? null },
      pci: (each.pciVendors ?? []).map(pciOf),
    };
    const { virtualisation, virtualisationWitnesses } = readVirtualisation(kernel, evidence);
    t.equal(virtualisation, each.expected);
    if (each.witnesses !== undefined)
      t.same(
        virtualisationWitnesses.map(({ source, says }) => `${source}: ${says}`),
        each.witnesses,
      );
  });
}

function pciOf(vendor: string): PciDevice {
  return {
    slot: "0000:00:01.0",
    vendor,
    device: "0000",
    subsystemVendor: null,
    subsystemDevice: null,
    class: null,
    driver: null,
    module: null,
  };
}
