import type { Machine } from "./machine.ts";

const flags =
  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ht syscall nx lm pni pclmulqdq vmx ssse3 fma cx16 sse4_1 sse4_2 popcnt aes xsave avx f16c rdrand lahf_lm abm bmi1 avx2 bmi2 sha_ni";

/** A Framework Laptop 13 with a 13th Gen Intel Core, one NVMe disk, Wi-Fi and fingerprint reader. */
export const framework1313thGenIntel: Machine = {
  name: "framework-13-13th-gen-intel",
  kernelRelease: "6.15.8",
  architecture: "x86_64",
  cpuinfo: `processor\t: {n}
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 186
model name\t: 13th Gen Intel(R) Core(TM) i5-1340P
stepping\t: 2
microcode\t: 0x4121
physical id\t: 0
siblings\t: 8
core id\t\t: {n}
cpu cores\t: 8
flags\t\t: ${flags}
`,
  cpuinfoEnd: "",
  threads: 8,
  memoryKibibytes: 32_505_856,
  dmi: {
    sys_vendor: "Framework",
    product_name: "Laptop (13th Gen Intel Core)",
    product_family: "13in Laptop",
    product_version: "A6",
    product_sku: "FRANDECP06",
    board_vendor: "Framework",
    board_name: "FRANMCCP06",
    board_version: "A6",
    board_asset_tag: "*",
    bios_vendor: "INSYDE Corp.",
    bios_version: "03.04",
    bios_date: "05/24/2023",
    chassis_type: "10",
    chassis_vendor: "Framework",
    chassis_asset_tag: "FRANDECPA600000000",
  },
  deviceTree: null,
  pci: [
    {
      slot: "0000:00:02.0",
      id: "8086:a7a0",
      subsystem: "f111:0003",
      class: "030000",
      driver: "i915",
      module: "i915",
      bootVga: true,
    },
    {
      slot: "0000:00:0d.2",
      id: "8086:a73e",
      subsystem: "f111:0003",
      class: "0c0340",
      driver: "thunderbolt",
      module: "thunderbolt",
    },
    {
      slot: "0000:00:14.0",
      id: "8086:51ed",
      subsystem: "f111:0003",
      class: "0c0330",
      driver: "xhci_hcd",
      module: "xhci_pci",
    },
    {
      slot: "0000:01:00.0",
      id: "15b7:5017",
      subsystem: "15b7:5017",
      class: "010802",
      driver: "nvme",
      module: "nvme",
    },
    {
      slot: "0000:aa:00.0",
      id: "8086:2725",
      subsystem: "8086:0024",
      class: "028000",
      driver: "iwlwifi",
      module: "iwlwifi",
    },
  ],
  usb: [
    {
      port: "3-9",
      id: "27c6:609c",
      manufacturer: "Goodix Technology Co., Ltd.",
      product: "Goodix USB2.0 MISC",
      interfaces: [{ class: 255 }],
    },
    {
      port: "3-10",
      id: "8087:0032",
      manufacturer: "Intel Corp.",
      product: "AX210 Bluetooth",
      interfaces: [{ class: 224, driver: "btusb" }],
    },
  ],
  disks: [
    {
      name: "nvme0n1",
      path: "pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1",
      sizeBytes: 500_107_862_016,
      rotational: false,
      device: { model: "WD_BLACK SN770 500GB                    " },
      wwid: "eui.0000000000000002",
      byId: ["nvme-WD_BLACK_SN770_500GB_000000000002", "nvme-eui.0000000000000002"],
      drivers: {},
    },
  ],
  fileSystems: [
    { path: "/", partition: "nvme0n1p2", type: "ext4", label: "nixos" },
    { path: "/boot", partition: "nvme0n1p1", type: "vfat", label: "ESP" },
  ],
  network: [
    {
      name: "wlp170s0",
      mac: "00:00:5e:00:53:06",
      device: "pci0000:00/0000:aa:00.0",
      driver: "iwlwifi",
      module: "iwlwifi",
      wifi: true,
    },
  ],
  uefi: { secureBoot: false, setupMode: false },
  tpm: 2,
  clocks: "tsc hpet acpi_pm",
  files: {
    "/sys/class/power_supply/BAT1/type": "Battery\n",
    "/sys/class/power_supply/BAT1/capacity": "71\n",
  },
};
