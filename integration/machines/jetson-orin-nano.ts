import type { Machine } from "./machine.ts";

/** A Jetson Orin Nano Developer Kit on an NVMe disk: UEFI with SMBIOS and a device tree beside it. */
export const jetsonOrinNano: Machine = {
  name: "jetson-orin-nano",
  kernelRelease: "6.12.40",
  architecture: "aarch64",
  cpuinfo: `processor\t: {n}
BogoMIPS\t: 62.50
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd42
CPU revision\t: 1
`,
  cpuinfoEnd: "",
  threads: 6,
  memoryKibibytes: 7_802_000,
  dmi: {
    sys_vendor: "Unknown",
    product_name: "NVIDIA Jetson Orin Nano Developer Kit",
    product_family: "Unknown",
    product_sku: "Unknown",
    board_vendor: "Unknown",
    board_name: "NVIDIA Jetson Orin Nano Developer Kit",
    bios_vendor: "EDK II",
    bios_version: "36.2.0-gcid-34956989",
    bios_date: "11/30/2023",
    chassis_type: "1",
    chassis_vendor: "Unknown",
  },
  deviceTree: {
    model: "NVIDIA Jetson Orin Nano Developer Kit",
    compatible: ["nvidia,p3768-0000+p3767-0005", "nvidia,p3767-0005", "nvidia,tegra234"],
  },
  pci: [
    {
      slot: "0004:00:00.0",
      id: "10de:229c",
      subsystem: "0000:0000",
      class: "060400",
      driver: "pcieport",
    },
    {
      slot: "0004:01:00.0",
      id: "15b7:5030",
      subsystem: "15b7:5030",
      class: "010802",
      driver: "nvme",
      module: "nvme",
    },
    {
      slot: "0008:01:00.0",
      id: "10ec:8168",
      subsystem: "10ec:0123",
      class: "020000",
      driver: "r8169",
      module: "r8169",
    },
  ],
  usb: [],
  disks: [
    {
      name: "nvme0n1",
      path: "platform/bus@0/14160000.pcie/pci0004:00/0004:01:00.0/nvme/nvme0/nvme0n1",
      sizeBytes: 500_107_862_016,
      rotational: false,
      device: { model: "WD_BLACK SN770 500GB                    " },
      wwid: "eui.0000000000000005",
      byId: ["nvme-WD_BLACK_SN770_500GB_000000000005", "nvme-eui.0000000000000005"],
      drivers: {
        "platform/bus@0/14160000.pcie": "pcie-tegra194",
        "platform/bus@0/14160000.pcie/pci0004:00/0004:01:00.0": "nvme",
      },
    },
  ],
  fileSystems: [
    { path: "/", partition: "nvme0n1p2", type: "ext4", label: "nixos" },
    { path: "/boot", partition: "nvme0n1p1", type: "vfat", label: "ESP" },
  ],
  network: [
    {
      name: "enP8p1s0",
      mac: "00:00:5e:00:53:08",
      device: "pci0008:00/0008:01:00.0",
      driver: "r8169",
      module: "r8169",
    },
  ],
  uefi: { secureBoot: false, setupMode: false },
  tpm: null,
  clocks: "arch_sys_counter",
  files: {},
};
