import type { Machine } from "./machine.ts";

const flags =
  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ht syscall nx lm pni pclmulqdq ssse3 cx16 sse4_1 sse4_2 popcnt aes xsave avx rdrand hypervisor lahf_lm avx2";

/** A QEMU guest with KVM (machine type q35): virtio disk and network, SeaBIOS. */
export const qemuQ35: Machine = {
  name: "qemu-q35",
  kernelRelease: "6.12.40",
  architecture: "x86_64",
  cpuinfo: `processor\t: {n}
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 85
model name\t: Intel Xeon Processor (Skylake, IBRS)
stepping\t: 4
physical id\t: {n}
siblings\t: 1
core id\t\t: 0
cpu cores\t: 1
flags\t\t: ${flags}
`,
  cpuinfoEnd: "",
  threads: 2,
  memoryKibibytes: 4_018_000,
  dmi: {
    sys_vendor: "QEMU",
    product_name: "Standard PC (Q35 + ICH9, 2009)",
    product_family: "",
    product_version: "pc-q35-9.2",
    product_sku: "",
    bios_vendor: "SeaBIOS",
    bios_version: "rel-1.16.3-0-ga6ed6b701f0a-prebuilt.qemu.org",
    bios_date: "04/01/2014",
    chassis_type: "1",
    chassis_vendor: "QEMU",
    chassis_asset_tag: "",
  },
  deviceTree: null,
  pci: [
    { slot: "0000:00:00.0", id: "8086:29c0", subsystem: "1af4:1100", class: "060000" },
    {
      slot: "0000:00:02.0",
      id: "1b36:000c",
      subsystem: "1b36:0000",
      class: "060400",
      driver: "pcieport",
    },
    {
      slot: "0000:00:1f.2",
      id: "8086:2922",
      subsystem: "1af4:1100",
      class: "010601",
      driver: "ahci",
      module: "ahci",
    },
    {
      slot: "0000:01:00.0",
      id: "1af4:1041",
      subsystem: "1af4:1100",
      class: "020000",
      driver: "virtio-pci",
      module: "virtio_pci",
    },
    {
      slot: "0000:02:00.0",
      id: "1af4:1042",
      subsystem: "1af4:1100",
      class: "010000",
      driver: "virtio-pci",
      module: "virtio_pci",
    },
  ],
  usb: [],
  disks: [
    {
      name: "vda",
      path: "pci0000:00/0000:02:00.0/virtio1/block/vda",
      sizeBytes: 21_474_836_480,
      rotational: true,
      device: {},
      byId: ["virtio-root"],
      drivers: { "pci0000:00/0000:02:00.0/virtio1": "virtio_blk" },
    },
  ],
  fileSystems: [{ path: "/", partition: "vda1", type: "ext4", label: "nixos" }],
  network: [
    {
      name: "enp1s0",
      mac: "00:00:5e:00:53:20",
      device: "pci0000:00/0000:01:00.0/virtio0",
      driver: "virtio_net",
      module: "virtio_net",
    },
  ],
  uefi: null,
  tpm: null,
  clocks: "kvm-clock tsc acpi_pm",
  files: {},
};
