import type { Machine } from "./machine.ts";

/** A Raspberry Pi 4 Model B with 4 GiB, started by U-Boot from its SD card; no SMBIOS. */
export const raspberryPi4: Machine = {
  name: "raspberry-pi-4",
  kernelRelease: "6.12.40",
  architecture: "aarch64",
  cpuinfo: `processor\t: {n}
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3
`,
  cpuinfoEnd: "Revision\t: c03114\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n",
  threads: 4,
  memoryKibibytes: 3_884_360,
  dmi: null,
  deviceTree: {
    model: "Raspberry Pi 4 Model B Rev 1.4",
    compatible: ["raspberrypi,4-model-b", "brcm,bcm2711"],
  },
  pci: [
    {
      slot: "0000:00:00.0",
      id: "14e4:2711",
      subsystem: "0000:0000",
      class: "060400",
      driver: "pcieport",
    },
    {
      slot: "0000:01:00.0",
      id: "1106:3483",
      subsystem: "1106:3483",
      class: "0c0330",
      driver: "xhci_hcd",
      module: "xhci_pci",
    },
  ],
  usb: [],
  disks: [
    {
      name: "mmcblk1",
      path: "platform/emmc2bus/fe340000.mmc/mmc_host/mmc1/mmc1:aaaa/block/mmcblk1",
      sizeBytes: 31_914_983_424,
      rotational: false,
      device: { name: "SL32G", type: "SD" },
      byId: ["mmc-SL32G_0x00000001"],
      drivers: {
        "platform/emmc2bus/fe340000.mmc/mmc_host/mmc1/mmc1:aaaa": "mmc_block",
        "platform/emmc2bus/fe340000.mmc": "sdhci_iproc",
      },
    },
  ],
  fileSystems: [{ path: "/", partition: "mmcblk1p2", type: "ext4", label: "NIXOS_SD" }],
  network: [
    {
      name: "end0",
      mac: "00:00:5e:00:53:04",
      device: "platform/scb/fd580000.ethernet",
      driver: "bcmgenet",
      module: "genet",
    },
    {
      name: "wlan0",
      mac: "00:00:5e:00:53:05",
      device: "platform/soc/fe300000.mmc/mmc_host/mmc0/mmc0:0001/mmc0:0001:1",
      driver: "brcmfmac",
      module: "brcmfmac",
      wifi: true,
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
