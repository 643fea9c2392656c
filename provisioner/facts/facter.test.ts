import t from "tap";
import { fc } from "#core/fast-check.ts";
import { validate } from "#generated/provisioner/facts/facts.validate.js";
import { factsFromFacter, isFacterReport } from "./facter.ts";

const named = (value: number, name = "") => ({
  hex: value.toString(16).padStart(4, "0"),
  name,
  value,
});

/** Written by us after the form of version 1. */
const laptop = {
  version: 1,
  system: "x86_64-linux",
  virtualisation: "none",
  hardware: {
    cpu: [
      {
        architecture: "x86_64",
        vendor_name: "AuthenticAMD",
        family: 25,
        model: 116,
        stepping: 1,
        features: ["fpu", "svm"],
      },
    ],
    memory: [{ resources: [{ type: "phys_mem", range: 34359738368 }] }],
    graphics_card: [
      {
        bus_type: named(4, "PCI"),
        base_class: named(3),
        sub_class: named(0),
        pci_interface: named(0),
        vendor: named(0x1002),
        device: named(0x15bf),
        sub_vendor: named(0xf111),
        sub_device: named(6),
        sysfs_bus_id: "0000:c1:00.0",
        driver: "amdgpu",
        driver_module: "amdgpu",
      },
    ],
    bluetooth: [1, 0].map((at) => ({
      bus_type: named(0x86, "USB"),
      vendor: named(0x0e8d, "MediaTek Inc."),
      device: named(0xe616, "Wireless_Device"),
      sysfs_bus_id: `1-5:1.${at}`,
      detail: { device_class: named(0xef), interface_class: named(0xe0) },
      driver_modules: ["btusb"],
    })),
    hub: [
      {
        bus_type: named(0x86, "USB"),
        vendor: named(0x1d6b),
        device: named(2),
        sysfs_bus_id: "1-0:1.0",
      },
    ],
    disk: [
      {
        sysfs_id: "/class/block/nvme0n1",
        model: "WD_BLACK SN850X 1000GB",
        unix_device_names: ["/dev/disk/by-id/nvme-x", "/dev/nvme0n1"],
        resources: [{ type: "size", unit: "sectors", value_1: 1953525168, value_2: 512 }],
        driver_modules: ["nvme"],
      },
      { sysfs_id: "/class/block/fd0", driver_modules: ["floppy"] },
    ],
    network_interface: [
      { unix_device_names: ["lo"], sub_class: named(0, "Loopback") },
      {
        unix_device_names: ["wlan0"],
        sub_class: named(10, "WLAN"),
        sysfs_device_link: "/devices/x",
        driver: "mt7921e",
        driver_module: "mt7921e",
      },
    ],
  },
  smbios: {
    system: {
      manufacturer: "Framework",
      product: "Laptop 13 (AMD Ryzen 7040Series)",
      version: "A7",
    },
    board: { manufacturer: "Framework", product: "FRANMDCP07", version: "A7" },
    bios: { vendor: "INSYDE Corp.", version: "03.05", date: "03/29/2024" },
    chassis: [{ manufacturer: "Framework", chassis_type: named(10, "Notebook") }],
  },
};

t.test("a report becomes facts that fit their schema", async (t) => {
  t.ok(isFacterReport(laptop));
  const facts = factsFromFacter(laptop);
  t.ok(validate(facts), "fits", { errors: validate.errors });
  t.match(facts, {
    virtualisation: "none",
    chassis: "laptop",
    gpus: [{ slot: "0000:c1:00.0", busId: "PCI:193:0:0", bootVga: null, driver: "amdgpu" }],
    features: { bluetooth: true, fingerprint: false, camera: false, battery: null },
    memoryBytes: 34359738368,
    cpu: {
      architecture: "x86_64",
      vendor: "AuthenticAMD",
      family: 25,
      model: 116,
      hypervisor: false,
    },
    dmi: {
      sysVendor: "Framework",
      boardName: "FRANMDCP07",
      biosDate: "2024-03-29",
      chassisType: 10,
      productSku: null,
    },
    pci: [
      {
        slot: "0000:c1:00.0",
        vendor: "1002",
        device: "15bf",
        subsystemVendor: "f111",
        class: "030000",
        module: "amdgpu",
      },
    ],
    usb: [
      {
        port: "1-5",
        vendor: "0e8d",
        product: "e616",
        class: "ef",
        interfaceClasses: ["e0"],
        modules: ["btusb"],
      },
    ],
    blockDevices: [
      {
        name: "nvme0n1",
        sizeBytes: 1000204886016,
        transport: "nvme",
        byId: ["nvme-x"],
        modules: ["nvme"],
      },
    ],
    network: [
      { name: "lo", kind: "loopback", physical: false },
      { name: "wlan0", kind: "wifi", physical: true, mac: null },
    ],
  });
  t.equal(
    facts.usb?.length,
    1,
    "a device with two interfaces is one, and a controller's own hub is none",
  );
  t.equal(facts.blockDevices?.length, 1);
});

t.test("QEMU that imitates Hyper-V is not taken for it", async (t) => {
  const vultr = {
    ...laptop,
    virtualisation: "microsoft",
    smbios: { system: { manufacturer: "Vultr", product: "VC2", version: "pc-q35-8.2" } },
  };
  t.equal(factsFromFacter(vultr).virtualisation, "kvm");
  t.equal(factsFromFacter({ ...laptop, virtualisation: "microsoft" }).virtualisation, "microsoft");
});

t.test("what is no report is none, and damaged parts of one are unknown", async (t) => {
  for (const value of [
    null,
    [],
    {},
    "text",
    { version: 3, system: "x", hardware: { cpu: [] } },
    { version: 1, system: 1, hardware: {} },
  ]) {
    t.notOk(isFacterReport(value), JSON.stringify(value));
  }
  const damaged = {
    version: 2,
    system: "aarch64-linux",
    virtualisation: 7,
    smbios: [],
    uefi: "yes",
    hardware: {
      cpu: [null],
      memory: "much",
      disk: [
        null,
        { sysfs_id: 5 },
        { sysfs_id: "/class/block/sda", resources: [null], unix_device_names: "x" },
      ],
      network_interface: [{}, { unix_device_names: [3] }],
      pci: [
        {
          bus_type: named(4, "PCI"),
          vendor: { value: -1 },
          device: { value: 1e9 },
          sysfs_bus_id: "0000:00:00.0",
        },
      ],
    },
  };
  t.ok(isFacterReport(damaged));
  if (!isFacterReport(damaged)) return;
  const facts = factsFromFacter(damaged);
  t.ok(validate(facts), "fits", { errors: validate.errors });
  t.match(facts, {
    dmi: null,
    memoryBytes: null,
    virtualisation: null,
    pci: [],
    network: [],
    cpu: { architecture: "aarch64" },
  });
  t.match(facts.blockDevices, [{ name: "sda", sizeBytes: null, byId: [] }]);
});

t.test("whatever a report holds, the facts fit their schema", async (t) => {
  const part = fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue(), { maxLength: 4 }));
  const device = fc.record(
    {
      bus_type: fc.oneof(
        fc.constant(named(4, "PCI")),
        fc.constant(named(0x86, "USB")),
        fc.jsonValue(),
      ),
      sysfs_bus_id: fc.oneof(fc.constant("0000:c1:00.0"), fc.constant("1-5:1.0"), fc.string()),
      vendor: fc.oneof(fc.record({ value: fc.integer() }), fc.jsonValue()),
      device: fc.oneof(fc.record({ value: fc.integer() }), fc.jsonValue()),
      sysfs_id: fc.string(),
      resources: part,
      unix_device_names: fc.oneof(fc.array(fc.string()), part),
      driver: fc.string({ unit: "binary" }),
    },
    { requiredKeys: [] },
  );
  const kinds = ["cpu", "memory", "disk", "network_interface", "pci", "usb"];
  const hardware = fc.dictionary(
    fc.constantFrom(...kinds),
    fc.oneof(fc.array(device, { maxLength: 4 }), part),
    { minKeys: 1 },
  );
  const report = fc.record({
    version: fc.constantFrom(1, 2),
    system: fc.string(),
    hardware,
    smbios: part,
    uefi: part,
    virtualisation: part,
  });
  fc.assert(
    fc.property(report, (value) => {
      return isFacterReport(value) && validate(factsFromFacter(value));
    }),
    { numRuns: 300 },
  );
  t.pass("held");
});
