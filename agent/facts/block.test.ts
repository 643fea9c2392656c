import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { hostFiles } from "#core/host-files.ts";
import { readBlockDevices, transportOf } from "./block.ts";
import { kernelFiles } from "./kernel-files.ts";

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
    const directory = t.testdir({});
    const make = (file: string, content: string) => {
      mkdirSync(path.join(directory, path.dirname(file)), { recursive: true });
      writeFileSync(path.join(directory, file), content);
    };
    const link = (target: string, file: string) => {
      mkdirSync(path.join(directory, path.dirname(file)), { recursive: true });
      symlinkSync(target, path.join(directory, file));
    };
    const subsystem = "/sys/devices/virtual/nvme-subsystem/nvme-subsys0";
    const controller = "/sys/devices/pci0000:00/0000:02:00.0/nvme/nvme0";
    make(`${subsystem}/nvme0n1/size`, "1000\n");
    make(`${controller}/nvme0c0n1/hidden`, "1\n");
    make("/sys/devices/virtual/block/loop0/size", "8\n");
    make("/sys/module/nvme/refcnt", "1\n");
    make("/sys/bus/pci/drivers/nvme/uevent", "");
    link("../../../../module/nvme", "/sys/bus/pci/drivers/nvme/module");
    link("../../../bus/pci/drivers/nvme", "/sys/devices/pci0000:00/0000:02:00.0/driver");
    link("../../../pci0000:00/0000:02:00.0/nvme/nvme0", `${subsystem}/nvme0`);
    link("../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1", "/sys/block/nvme0n1");
    link("../devices/pci0000:00/0000:02:00.0/nvme/nvme0/nvme0c0n1", "/sys/block/nvme0c0n1");
    link("../devices/virtual/block/loop0", "/sys/block/loop0");
    const disks = readBlockDevices(kernelFiles(hostFiles(directory, () => {})));
    t.match(disks, [{ name: "nvme0n1", sizeBytes: 512_000, transport: "nvme", modules: ["nvme"] }]);
    t.equal(disks?.length, 1);
  },
);
