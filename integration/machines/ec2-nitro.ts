import type { Machine } from "./machine.ts";

const flags =
  "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ss ht syscall nx pdpe1gb rdtscp lm pni pclmulqdq ssse3 fma cx16 sse4_1 sse4_2 popcnt aes xsave avx f16c rdrand hypervisor lahf_lm abm bmi1 avx2 bmi2 avx512f sha_ni";

/** An EC2 instance on Nitro (m6i.large): EBS by NVMe, ENA, UEFI. */
export const ec2Nitro: Machine = {
  name: "ec2-nitro",
  kernelRelease: "6.12.40",
  architecture: "x86_64",
  cpuinfo: `processor\t: {n}
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 106
model name\t: Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz
stepping\t: 6
microcode\t: 0xd0003e7
physical id\t: 0
siblings\t: 2
core id\t\t: 0
cpu cores\t: 1
flags\t\t: ${flags}
`,
  cpuinfoEnd: "",
  threads: 2,
  memoryKibibytes: 7_967_104,
  dmi: {
    sys_vendor: "Amazon EC2",
    product_name: "m6i.large",
    product_family: "",
    product_version: "",
    product_sku: "",
    board_vendor: "Amazon EC2",
    board_name: "",
    board_version: "",
    board_asset_tag: "i-0123456789abcdef0",
    bios_vendor: "Amazon EC2",
    bios_version: "1.0",
    bios_date: "10/16/2017",
    chassis_type: "1",
    chassis_vendor: "Amazon EC2",
    chassis_asset_tag: "Amazon EC2",
    product_uuid: "ec200000-0000-4000-8000-000000000001",
    product_serial: "ec200000-0000-4000-8000-000000000001",
  },
  deviceTree: null,
  pci: [
    { slot: "0000:00:00.0", id: "8086:1237", subsystem: "0000:0000", class: "060000" },
    { slot: "0000:00:01.0", id: "8086:7000", subsystem: "0000:0000", class: "060100" },
    { slot: "0000:00:03.0", id: "1d0f:1111", subsystem: "0000:0000", class: "030000" },
    {
      slot: "0000:00:04.0",
      id: "1d0f:8061",
      subsystem: "1d0f:8061",
      class: "010802",
      driver: "nvme",
      module: "nvme",
    },
    {
      slot: "0000:00:05.0",
      id: "1d0f:ec20",
      subsystem: "1d0f:ec20",
      class: "020000",
      driver: "ena",
      module: "ena",
    },
  ],
  usb: [],
  disks: [
    {
      name: "nvme0n1",
      path: "pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n1",
      sizeBytes: 21_474_836_480,
      rotational: false,
      device: { model: "Amazon Elastic Block Store              " },
      wwid: "nvme.1d0f-766f6c30",
      byId: ["nvme-Amazon_Elastic_Block_Store_vol00000000000000001"],
      drivers: {},
    },
  ],
  fileSystems: [
    { path: "/", partition: "nvme0n1p2", type: "ext4", label: "nixos" },
    { path: "/boot", partition: "nvme0n1p1", type: "vfat", label: "ESP" },
  ],
  network: [
    {
      name: "ens5",
      mac: "00:00:5e:00:53:10",
      device: "pci0000:00/0000:00:05.0",
      driver: "ena",
      module: "ena",
    },
  ],
  uefi: { secureBoot: false, setupMode: true },
  tpm: null,
  clocks: "kvm-clock tsc acpi_pm",
  files: {},
};
