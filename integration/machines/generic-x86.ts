import type { Machine } from "./machine.ts";

const flags =
  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ss ht syscall nx lm pni pclmulqdq vmx ssse3 fma cx16 sse4_1 sse4_2 popcnt aes xsave avx f16c rdrand lahf_lm avx2 sha_ni";

/** A white-box PC whose maker left every string as the board came: SATA disk, wired network. */
export const genericX86: Machine = {
  name: "generic-x86",
  kernelRelease: "6.12.40",
  architecture: "x86_64",
  cpuinfo: `processor\t: {n}
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 190
model name\t: Intel(R) N100
stepping\t: 0
microcode\t: 0x17
physical id\t: 0
siblings\t: 4
core id\t\t: {n}
cpu cores\t: 4
flags\t\t: ${flags}
`,
  cpuinfoEnd: "",
  threads: 4,
  memoryKibibytes: 16_170_000,
  dmi: {
    sys_vendor: "Default string",
    product_name: "To Be Filled By O.E.M.",
    product_family: "Default string",
    product_version: "Default string",
    product_sku: "Default string",
    board_vendor: "Default string",
    board_name: "Default string",
    board_version: "Default string",
    bios_vendor: "American Megatrends International, LLC.",
    bios_version: "5.27",
    bios_date: "06/25/2024",
    chassis_type: "3",
    chassis_vendor: "Default string",
    chassis_asset_tag: "Default string",
  },
  deviceTree: null,
  pci: [
    { slot: "0000:00:00.0", id: "8086:461c", subsystem: "8086:7270", class: "060000" },
    {
      slot: "0000:00:02.0",
      id: "8086:46d1",
      subsystem: "8086:7270",
      class: "030000",
      driver: "i915",
      module: "i915",
      bootVga: true,
    },
    {
      slot: "0000:00:14.0",
      id: "8086:54ed",
      subsystem: "8086:7270",
      class: "0c0330",
      driver: "xhci_hcd",
      module: "xhci_pci",
    },
    {
      slot: "0000:00:17.0",
      id: "8086:54d3",
      subsystem: "8086:7270",
      class: "010601",
      driver: "ahci",
      module: "ahci",
    },
    {
      slot: "0000:01:00.0",
      id: "8086:125c",
      subsystem: "8086:0000",
      class: "020000",
      driver: "igc",
      module: "igc",
    },
  ],
  usb: [],
  disks: [
    {
      name: "sda",
      path: "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda",
      sizeBytes: 256_060_514_304,
      rotational: false,
      device: { model: "SATA SSD        ", wwid: "naa.5000000000000001" },
      byId: ["ata-SATA_SSD_000000000001", "wwn-0x5000000000000001"],
      drivers: { "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0": "sd_mod" },
    },
  ],
  fileSystems: [
    { path: "/", partition: "sda2", type: "ext4", label: "nixos" },
    { path: "/boot", partition: "sda1", type: "vfat", label: "ESP" },
  ],
  network: [
    {
      name: "enp1s0",
      mac: "00:00:5e:00:53:30",
      device: "pci0000:00/0000:01:00.0",
      driver: "igc",
      module: "igc",
    },
  ],
  uefi: { secureBoot: false, setupMode: true },
  tpm: 2,
  clocks: "tsc hpet acpi_pm",
  files: {},
};
