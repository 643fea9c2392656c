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
