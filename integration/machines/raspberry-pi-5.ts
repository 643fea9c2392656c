import type { Machine } from "./machine.ts";

/** A Raspberry Pi 5 with 8 GiB, started from an NVMe disk on its PCI Express slot; no SMBIOS. */
export const raspberryPi5: Machine = {
  name: "raspberry-pi-5",
  kernelRelease: "6.12.47",
  architecture: "aarch64",
  cpuinfo: `processor\t: {n}
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x4
CPU part\t: 0xd0b
CPU revision\t: 1
`,
  cpuinfoEnd: "Revision\t: d04170\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n",
  threads: 4,
  memoryKibibytes: 8_254_000,
  dmi: null,
  deviceTree: {
    model: "Raspberry Pi 5 Model B Rev 1.0",
    compatible: ["raspberrypi,5-model-b", "brcm,bcm2712"],
  },
  pci: [
    {
      slot: "0001:00:00.0",
      id: "14e4:2712",
      subsystem: "0000:0000",
      class: "060400",
      driver: "pcieport",
    },
    {
      slot: "0001:01:00.0",
      id: "15b7:5030",
      subsystem: "15b7:5030",
      class: "010802",
      driver: "nvme",
      module: "nvme",
    },
    {
      slot: "0002:01:00.0",
      id: "1de4:0001",
      subsystem: "0000:0000",
      class: "020000",
      driver: "rp1",
    },
  ],
  usb: [],
  disks: [
    {
      name: "nvme0n1",
      path: "pci0001:00/0001:01:00.0/nvme/nvme0/nvme0n1",
      sizeBytes: 256_060_514_304,
      rotational: false,
      device: { model: "WD_BLACK SN740 256GB                    " },
      wwid: "eui.0000000000000004",
      byId: ["nvme-WD_BLACK_SN740_256GB_000000000004", "nvme-eui.0000000000000004"],
      drivers: { "pci0001:00/0001:01:00.0": "nvme" },
    },
  ],
  fileSystems: [{ path: "/", partition: "nvme0n1p2", type: "ext4", label: "NIXOS_SD" }],
  network: [
    {
      name: "end0",
      mac: "00:00:5e:00:53:07",
      device: "platform/axi/1000120000.pcie/1f00100000.ethernet",
      driver: "macb",
      module: "macb",
    },
  ],
  uefi: null,
  tpm: null,
  clocks: "arch_sys_counter",
  files: Object.fromEntries(
    [0, 1, 2, 3].flatMap((n) => [
      [`/sys/devices/system/cpu/cpu${n}/topology/physical_package_id`, "0\n"],
      [`/sys/devices/system/cpu/cpu${n}/topology/core_id`, `${n}\n`],
    ]),
  ),
};
