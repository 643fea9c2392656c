import t from "tap";
import { readBlockDevices, transportOf } from "./block.ts";
import { fakeKernel } from "./fake-kernel.ts";

t.test("the way a disk is attached is read from its place among the devices", async (t) => {
  const cases = [
    ["/sys/devices/pci0000:00/0000:02:00.0/nvme/nvme0/nvme0n1", "nvme"],
    ["/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda", "ata"],
    [
      "/sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb",
      "usb",
    ],
    [
      "/sys/devices/pci0000:00/0000:01:00.0/host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0/block/sda",
      "sas",
    ],
    [
      "/sys/devices/pci0000:00/0000:00:02.5/0000:06:00.0/virtio5/host0/target0:0:0/0:0:0:1/block/sda",
      "scsi",
    ],
    ["/sys/devices/pci0000:00/0000:02:00.0/virtio1/block/vda", "virtio"],
    ["/sys/devices/platform/emmc2bus/fe340000.mmc/mmc_host/mmc1/mmc1:aaaa/block/mmcblk1", "mmc"],
    ["/sys/devices/vbd-51712/block/xvda", "xen"],
    ["/sys/devices/platform/floppy.0/block/fd0", "other"],
  ] as const;
  for (const [place, transport] of cases) t.equal(transportOf(place), transport, place);
});

t.test(
  "an NVMe disk under multipath is a disk; its hidden path and loop devices are not",
  async (t) => {
    const subsystem = "/sys/devices/virtual/nvme-subsystem/nvme-subsys0";
    const controller = "/sys/devices/pci0000:00/0000:02:00.0/nvme/nvme0";
    const kernel = fakeKernel(t.testdir({}), {
      [`${subsystem}/nvme0n1/size`]: "1000\n",
      [`${subsystem}/nvme0`]: "-> ../../../pci0000:00/0000:02:00.0/nvme/nvme0",
      [`${controller}/nvme0c0n1/hidden`]: "1\n",
      "/sys/devices/virtual/block/loop0/size": "8\n",
      "/sys/module/nvme/refcnt": "1\n",
      "/sys/bus/pci/drivers/nvme/module": "-> ../../../../module/nvme",
      "/sys/devices/pci0000:00/0000:02:00.0/driver": "-> ../../../bus/pci/drivers/nvme",
      "/sys/block/nvme0n1": "-> ../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1",
      "/sys/block/nvme0c0n1": "-> ../devices/pci0000:00/0000:02:00.0/nvme/nvme0/nvme0c0n1",
      "/sys/block/loop0": "-> ../devices/virtual/block/loop0",
    });
    const disks = readBlockDevices(kernel);
    t.match(disks, [{ name: "nvme0n1", sizeBytes: 512_000, transport: "nvme", modules: ["nvme"] }]);
    t.equal(disks?.length, 1);
  },
);

const disk = "/sys/devices/pci0000:00/0000:02:00.0/nvme/nvme0/nvme0n1";
const entry = (lines: readonly string[]) => `S:disk/by-path/x\nI:12\n${lines.join("\n")}\nV:1\n`;

t.test("what lies on a disk is told by udev, and what udev does not tell is unknown", async (t) => {
  const kernel = fakeKernel(t.testdir({}), {
    [`${disk}/size`]: "8000\n",
    [`${disk}/dev`]: "259:0\n",
    [`${disk}/nvme0n1p10/partition`]: "10\n",
    [`${disk}/nvme0n1p10/size`]: "16\n",
    [`${disk}/nvme0n1p10/dev`]: "259:10\n",
    [`${disk}/nvme0n1p2/partition`]: "2\n",
    [`${disk}/nvme0n1p2/size`]: "2000\n",
    [`${disk}/nvme0n1p2/dev`]: "259:2\n",
    [`${disk}/nvme0n1p3/partition`]: "3\n",
    [`${disk}/nvme0n1p3/dev`]: "../../etc\n",
    [`${disk}/nvme0n1p4/partition`]: "4\n",
    [`${disk}/nvme0n1p4/dev`]: "259:4\n",
    "/sys/block/nvme0n1": `-> ../devices${disk.slice("/sys/devices".length)}`,
    "/run/udev/data/b259:0": entry(["E:ID_SERIAL=SECRET", "E:ID_PART_TABLE_TYPE=gpt"]),
    "/run/udev/data/b259:2": entry(["E:ID_PART_ENTRY_TYPE=0x83", "E:ID_FS_TYPE=crypto_LUKS"]),
    "/run/udev/data/b259:10": entry(["E:ID_FS_TYPE=swsuspend"]),
    "/run/udev/data/b259:4": "I:12\nE:NM_UNMANAGED=1\n",
  });
  const none = { sizeBytes: null, type: null, signature: null };
  t.same(
    readBlockDevices(kernel)?.map(({ partitionTable, signature, partitions }) => ({
      partitionTable,
      signature,
      partitions,
    })),
    [
      {
        partitionTable: "gpt",
        signature: "none",
        partitions: [
          {
            name: "nvme0n1p2",
            number: 2,
            sizeBytes: 1_024_000,
            type: "0x83",
            signature: "crypto_LUKS",
          },
          { name: "nvme0n1p3", number: 3, ...none },
          { name: "nvme0n1p4", number: 4, ...none },
          { name: "nvme0n1p10", number: 10, sizeBytes: 8192, type: null, signature: "swap" },
        ],
      },
    ],
  );
});

t.test("the boot areas of an eMMC are no disks", async (t) => {
  const emmc = "/sys/devices/platform/fe340000.mmc/mmc_host/mmc0/mmc0:0001/block";
  const kernel = fakeKernel(t.testdir({}), {
    [`${emmc}/mmcblk0/size`]: "1000\n",
    [`${emmc}/mmcblk0/mmcblk0boot0/size`]: "8\n",
    [`${emmc}/mmcblk0/mmcblk0p1/partition`]: "1\n",
    "/sys/block/mmcblk0": `-> ../..${emmc}/mmcblk0`,
    "/sys/block/mmcblk0boot0": `-> ../..${emmc}/mmcblk0/mmcblk0boot0`,
  });
  t.match(readBlockDevices(kernel), [{ name: "mmcblk0", partitions: [{ name: "mmcblk0p1" }] }]);
  t.equal(readBlockDevices(kernel)?.length, 1);
});
