import type { Machine } from "./machine.ts";

const flags =
  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ht syscall nx mmxext lm pni pclmulqdq ssse3 fma cx16 sse4_1 sse4_2 popcnt aes xsave avx f16c rdrand lahf_lm svm abm sse4a bmi1 avx2 bmi2 avx512f sha_ni";

/** A Framework Laptop 16 with a Ryzen AI 300 and the graphics module with a GeForce RTX 5070 in its bay. */
export const framework16Rtx5070: Machine = {
  name: "framework-16-rtx-5070",
  kernelRelease: "6.17.2",
  architecture: "x86_64",
  cpuinfo: `processor\t: {n}
vendor_id\t: AuthenticAMD
cpu family\t: 26
model\t\t: 96
model name\t: AMD Ryzen AI 7 350 w/ Radeon 860M
stepping\t: 0
microcode\t: 0xb600032
physical id\t: 0
siblings\t: 16
core id\t\t: {core}
cpu cores\t: 8
flags\t\t: ${flags}
`,
  cpuinfoEnd: "",
  threads: 16,
  memoryKibibytes: 65_011_712,
  dmi: {
    sys_vendor: "Framework",
    product_name: "Laptop 16 (AMD Ryzen AI 300 Series)",
    board_vendor: "Framework",
    board_name: "FRANMHCP09",
    board_asset_tag: "*",
    bios_vendor: "INSYDE Corp.",
    bios_version: "03.04",
    chassis_type: "10",
    chassis_vendor: "Framework",
  },
  deviceTree: null,
  pci: [
    {
      slot: "0000:c1:00.0",
      id: "10de:2d58",
      subsystem: "f111:000f",
      class: "030000",
      driver: "nouveau",
      module: "nouveau",
    },
    {
      slot: "0000:c2:00.0",
      id: "1002:1114",
      subsystem: "f111:000d",
      class: "038000",
      driver: "amdgpu",
      module: "amdgpu",
    },
    {
      slot: "0000:c0:00.0",
      id: "15b7:5030",
      subsystem: "15b7:5030",
      class: "010802",
      driver: "nvme",
      module: "nvme",
    },
    {
      slot: "0000:c2:00.4",
      id: "1022:1118",
      subsystem: "f111:000d",
      class: "0c0330",
      driver: "xhci_hcd",
      module: "xhci_pci",
    },
  ],
  usb: [],
  disks: [
    {
      name: "nvme0n1",
      path: "pci0000:00/0000:c0:00.0/nvme/nvme0/nvme0n1",
      sizeBytes: 2_000_398_934_016,
      rotational: false,
      device: { model: "WD_BLACK SN850X 2000GB                  " },
      wwid: "eui.0000000000000003",
      byId: ["nvme-WD_BLACK_SN850X_2000GB_000000000003", "nvme-eui.0000000000000003"],
      drivers: {},
    },
  ],
  fileSystems: [
    { path: "/", partition: "nvme0n1p2", type: "ext4", label: "nixos" },
    { path: "/boot", partition: "nvme0n1p1", type: "vfat", label: "ESP" },
  ],
  network: [],
  uefi: { secureBoot: false, setupMode: false },
  tpm: 2,
  clocks: "tsc hpet acpi_pm",
  files: {
    "/sys/class/power_supply/BAT1/type": "Battery\n",
    "/sys/class/power_supply/BAT1/capacity": "64\n",
  },
};
