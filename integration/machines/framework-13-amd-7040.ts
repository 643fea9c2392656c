import type { Machine } from "./machine.ts";

const flags =
  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ht syscall nx mmxext lm pni pclmulqdq ssse3 fma cx16 sse4_1 sse4_2 popcnt aes xsave avx f16c rdrand lahf_lm svm abm sse4a bmi1 avx2 bmi2 avx512f sha_ni";

/** A Framework Laptop 13 with a Ryzen 7 7840U, one NVMe disk, Wi-Fi, fingerprint reader and HDMI card. */
export const framework13Amd7040: Machine = {
  name: "framework-13-amd-7040",
  kernelRelease: "6.12.40",
  architecture: "x86_64",
  cpuinfo: `processor\t: {n}
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 116
model name\t: AMD Ryzen 7 7840U w/ Radeon  780M Graphics
stepping\t: 1
microcode\t: 0xa704104
physical id\t: 0
siblings\t: 16
core id\t\t: {core}
cpu cores\t: 8
flags\t\t: ${flags}
`,
  cpuinfoEnd: "",
  threads: 16,
  memoryKibibytes: 32_505_856,
  dmi: {
    sys_vendor: "Framework",
    product_name: "Laptop 13 (AMD Ryzen 7040Series)",
    product_family: "Laptop",
    product_version: "A7",
    product_sku: "FRANDGCP07",
    board_vendor: "Framework",
    board_name: "FRANMDCP07",
    board_version: "A7",
    board_asset_tag: "*",
    bios_vendor: "INSYDE Corp.",
    bios_version: "03.05",
    bios_date: "03/29/2024",
    chassis_type: "10",
    chassis_vendor: "Framework",
    chassis_asset_tag: "FRANDGCPA700000000",
    modalias:
      "dmi:bvnINSYDECorp.:bvr03.05:bd03/29/2024:svnFramework:pnLaptop13(AMDRyzen7040Series):pvrA7:",
  },
  deviceTree: null,
  pci: [
    { slot: "0000:00:00.0", id: "1022:14e8", subsystem: "f111:0006", class: "060000" },
    {
      slot: "0000:00:14.0",
      id: "1022:790b",
      subsystem: "f111:0006",
      class: "0c0500",
      driver: "piix4_smbus",
      module: "i2c_piix4",
    },
    {
      slot: "0000:01:00.0",
      id: "14c3:0616",
      subsystem: "14c3:e616",
      class: "028000",
      driver: "mt7921e",
      module: "mt7921e",
    },
    {
      slot: "0000:02:00.0",
      id: "15b7:5030",
      subsystem: "15b7:5030",
      class: "010802",
      driver: "nvme",
      module: "nvme",
    },
    {
      slot: "0000:c1:00.0",
      id: "1002:15bf",
      subsystem: "f111:0006",
      class: "030000",
      driver: "amdgpu",
      module: "amdgpu",
      bootVga: true,
    },
    {
      slot: "0000:c1:00.2",
      id: "1022:15c7",
      subsystem: "f111:0006",
      class: "108000",
      driver: "ccp",
      module: "ccp",
    },
    {
      slot: "0000:c1:00.3",
      id: "1022:15b9",
      subsystem: "f111:0006",
      class: "0c0330",
      driver: "xhci_hcd",
      module: "xhci_pci",
    },
    {
      slot: "0000:c1:00.6",
      id: "1022:15e3",
      subsystem: "f111:0006",
      class: "040300",
      driver: "snd_hda_intel",
      module: "snd_hda_intel",
    },
  ],
  usb: [
    {
      port: "1-3",
      id: "32ac:0002",
      manufacturer: "Framework",
      product: "HDMI Expansion Card",
      interfaces: [{ class: 17 }],
    },
    {
      port: "1-4",
      id: "27c6:609c",
      manufacturer: "Goodix Technology Co., Ltd.",
      product: "Goodix USB2.0 MISC",
      interfaces: [{ class: 255 }],
    },
    {
      port: "1-5",
      id: "0e8d:e616",
      manufacturer: "MediaTek Inc.",
      product: "Wireless_Device",
      interfaces: [{ class: 224, driver: "btusb" }],
    },
    {
      port: "3-1",
      id: "0bda:5634",
      manufacturer: "Generic",
      product: "Laptop Camera",
      interfaces: [{ class: 14, driver: "uvcvideo" }],
    },
  ],
  disks: [
    {
      name: "nvme0n1",
      path: "pci0000:00/0000:02:00.0/nvme/nvme0/nvme0n1",
      sizeBytes: 1_000_204_886_016,
      rotational: false,
      device: { model: "WD_BLACK SN850X 1000GB                  " },
      wwid: "eui.0000000000000001",
      byId: ["nvme-WD_BLACK_SN850X_1000GB_000000000001", "nvme-eui.0000000000000001"],
      drivers: {},
    },
  ],
  fileSystems: [
    { path: "/", partition: "nvme0n1p2", type: "ext4", label: "nixos" },
    { path: "/boot", partition: "nvme0n1p1", type: "vfat", label: "ESP" },
  ],
  network: [
    {
      name: "wlp1s0",
      mac: "00:00:5e:00:53:01",
      device: "pci0000:00/0000:01:00.0",
      driver: "mt7921e",
      module: "mt7921e",
      wifi: true,
    },
  ],
  uefi: { secureBoot: false, setupMode: false },
  tpm: 2,
  clocks: "tsc hpet acpi_pm",
  files: {
    "/sys/bus/iio/devices/iio:device0/name": "als\n",
    "/sys/class/power_supply/BAT1/type": "Battery\n",
    "/sys/class/power_supply/BAT1/capacity": "83\n",
  },
};
