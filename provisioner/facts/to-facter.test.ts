import t from "tap";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { validate } from "#generated/provisioner/facts/facts.validate.js";
import { factsFromFacter, isFacterReport } from "./facter.ts";
import { withoutFacterLosses } from "./facter-losses.ts";
import { genericFacts } from "./generic-facts.ts";
import { facterFromFacts } from "./to-facter.ts";

const generic = genericFacts("x86_64");
const disk = {
  removable: false,
  readOnly: false,
  rotational: false,
  wwid: "eui.1",
  partitionTable: "gpt",
  signature: "none",
  partitions: [],
};

/** A laptop with as many kinds of things as there are. */
const laptop: Facts = {
  ...generic,
  kernelRelease: "6.12.40",
  dmi: {
    sysVendor: "Framework",
    productName: "Laptop 16 (AMD Ryzen AI 300 Series)",
    productFamily: "Laptop",
    productVersion: null,
    productSku: "FRANGDCP09",
    boardVendor: "Framework",
    boardName: "FRANMHCP09",
    boardVersion: null,
    biosVendor: "INSYDE Corp.",
    biosVersion: "03.04",
    biosDate: "2025-08-01",
    chassisType: 10,
    chassisVendor: "Framework",
    chassisAssetTag: null,
  },
  chassis: "laptop",
  cpu: {
    ...generic.cpu,
    vendor: "AuthenticAMD",
    family: 26,
    model: 96,
    stepping: 0,
    name: "AMD Ryzen AI 7 350 w/ Radeon 860M",
    flags: ["aes", "cppc", "lm", "svm"],
    hypervisor: false,
  },
  memoryBytes: 66_571_993_088,
  pci: [
    pci("0000:00:00.0", "1022:1507", "060000"),
    pci("0000:01:00.0", "14c3:0717", "028000", "mt7925e"),
    pci("0000:c0:00.0", "15b7:5030", "010802", "nvme"),
    pci("0000:c1:00.0", "10de:2d58", "030000", "nouveau"),
    pci("0000:c2:00.0", "1002:1114", "038000", "amdgpu"),
    pci("0000:c2:00.1", "1002:1640", "040300", "snd_hda_intel"),
    pci("0000:c2:00.4", "1022:1118", "0c0330", "xhci_hcd", "xhci_pci"),
    pci("0000:c2:00.7", "1022:17f0", null),
  ],
  gpus: [
    gpu("0000:c1:00.0", "10de:2d58", "PCI:193:0:0", "nouveau"),
    gpu("0000:c2:00.0", "1002:1114", "PCI:194:0:0", "amdgpu"),
  ],
  usb: [
    usb("1-4", "27c6:609c", ["ff"], []),
    usb("1-5", "0e8d:e616", ["e0"], ["btusb"]),
    usb("3-1", "0bda:5634", ["0e", "fe"], ["uvcvideo"]),
    usb("3-2", "32ac:0002", [], []),
  ],
  blockDevices: [
    {
      ...disk,
      name: "nvme0n1",
      sizeBytes: 2_000_398_934_016,
      model: "WD_BLACK SN850X 2000GB",
      transport: "nvme",
      byId: ["nvme-WD_BLACK_SN850X_2000GB_1", "nvme-eui.1"],
      modules: ["nvme"],
    },
    {
      ...disk,
      name: "sda",
      sizeBytes: null,
      model: null,
      transport: "usb",
      byId: [],
      modules: ["sd_mod", "usb_storage", "xhci_pci"],
    },
  ],
  network: [
    link("enp0s1", "ethernet", "r8169"),
    { ...link("lo", "loopback", null), physical: false },
    link("wlp1s0", "wifi", "mt7925e"),
  ],
  firmware: { type: "uefi", secureBoot: true, setupMode: false, platformBits: 64 },
  tpm: { version: "2.0", eventLog: "complete" },
  features: {
    bluetooth: true,
    fingerprint: true,
    camera: true,
    touchscreen: false,
    sensors: ["als"],
    battery: true,
  },
  virtualisation: "none",
  virtualisationWitnesses: [{ source: "cpu", says: "none" }],
};

function pci(
  slot: string,
  id: string,
  kind: string | null,
  driver: string | null = null,
  module = driver,
) {
  const [vendor = "", device = ""] = id.split(":");
  const subsystem = { subsystemVendor: "f111", subsystemDevice: "000f" };
  return { slot, vendor, device, ...subsystem, class: kind, driver, module };
}

function gpu(slot: string, id: string, busId: string, driver: string) {
  const [vendor = "", device = ""] = id.split(":");
  return { slot, vendor, device, busId, bootVga: null, driver };
}

function usb(port: string, id: string, interfaceClasses: string[], modules: string[]) {
  const [vendor = "", product = ""] = id.split(":");
  const names = { manufacturer: "Maker", name: null };
  return { port, vendor, product, class: "00", interfaceClasses, ...names, modules };
}

function link(
  name: string,
  kind: NonNullable<Facts["network"]>[number]["kind"],
  driver: string | null,
) {
  return { name, mac: null, driver, module: driver, kind, physical: true };
}

/** The report as it is read from a file. */
const written = (facts: Facts): unknown => JSON.parse(JSON.stringify(facterFromFacts(facts)));

t.test("a report that is read back gives the facts that it has a place for", async (t) => {
  const report = written(laptop);
  t.ok(isFacterReport(report));
  if (!isFacterReport(report)) return;
  const facts = factsFromFacter(report);
  t.ok(validate(facts), "fits", { errors: validate.errors });
  t.same(facts, withoutFacterLosses(laptop));
});

t.test("what NixOS reads is where it looks for it", async (t) => {
  t.match(written(laptop), {
    version: 1,
    system: "x86_64-linux",
    virtualisation: "none",
    uefi: { supported: true, platform_size: 64 },
    hardware: {
      system: { form_factor: "laptop" },
      cpu: [{ vendor_name: "AuthenticAMD", family: 26, model: 96, features: ["aes", "cppc"] }],
      disk: [{ driver_modules: ["nvme"] }, { driver_modules: ["sd_mod", "usb_storage"] }],
      storage_controller: [{ driver_modules: ["nvme"] }],
      usb_controller: [{ driver_modules: ["xhci_pci"] }],
      graphics_card: [{ driver_modules: ["nouveau"] }, { driver_modules: ["amdgpu"] }],
      network_controller: [{ vendor: { value: 0x14c3 }, driver_modules: ["mt7925e"] }],
      network_interface: [
        { sub_class: { name: "Ethernet" }, unix_device_names: ["enp0s1"] },
        { sub_class: { name: "Loopback" }, unix_device_names: ["lo"] },
        { sub_class: { name: "WLAN" }, unix_device_names: ["wlp1s0"] },
      ],
      bluetooth: [{ bus_type: { name: "USB" }, driver_modules: ["btusb"] }],
      camera: [{ vendor: { value: 0x0bda } }],
      usb: [{ bus_type: { name: "USB" }, vendor: { value: 0x27c6 }, device: { value: 0x609c } }],
    },
    smbios: {
      system: { manufacturer: "Framework", product: "Laptop 16 (AMD Ryzen AI 300 Series)" },
      bios: { date: "08/01/2025" },
      chassis: { chassis_type: { value: 10 } },
    },
  });
});

t.test("no number of one machine is in a report but the names of its disks", async (t) => {
  const network = laptop.network?.map((each) => ({ ...each, mac: "00:00:5e:00:53:01" })) ?? [];
  const text = JSON.stringify(facterFromFacts({ ...laptop, network }));
  t.notMatch(text, /00:00:5e|eui\.1"?,"partition|serial/);
});

t.test("interfaces that the configuration makes are not asked for an address", async (t) => {
  const bridge = { ...link("br0", "ethernet", null), physical: false };
  const report = facterFromFacts({ ...laptop, network: [bridge] });
  t.equal(report.hardware["network_interface"], undefined);
});

t.test("Bluetooth on a serial line is told although no bus has it", async (t) => {
  const board: Facts = { ...genericFacts("aarch64"), usb: [], pci: [] };
  const { features } = board;
  const known = { ...features, bluetooth: true, fingerprint: false, camera: false };
  const facts = factsFromFacter(facterFromFacts({ ...board, features: known }));
  t.equal(facts.features.bluetooth, true);
  t.match(facts, { pci: [], usb: [], dmi: null, virtualisation: null, memoryBytes: null });
});

t.test("words of virtualisation are systemd's, and come back", async (t) => {
  for (const [virtualisation, word] of [
    ["kvm", "kvm"],
    ["other", "vm-other"],
    ["container", "container-other"],
  ] as const) {
    const report = facterFromFacts({ ...laptop, virtualisation });
    t.equal(report.virtualisation, word);
    t.equal(factsFromFacter(report).virtualisation, virtualisation);
  }
});

t.test("facts of no machine are no report", async (t) => {
  t.throws(() => facterFromFacts(genericFacts(null)), {
    code: "facts/invalid",
    message: /architecture is unknown/,
  });
});
