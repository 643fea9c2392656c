import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { listBlockDevices, openBlockDevice } from "./block-devices.ts";
import { addDisk } from "./fake-machine.ts";

t.test(
  "disks are listed from the highest name down, with what the kernel says of them",
  async (t) => {
    const root = t.testdir();
    addDisk(root, "sr0", {
      bytes: 4096,
      device: "pci0000:00/0000:00:01.1/ata2/host1/target1:0:0/1:0:0:0/block/sr0",
      attributes: { removable: "1\n", ro: "1\n", "queue/rotational": "1\n" },
    });
    addDisk(root, "vda", {
      bytes: 8192,
      device: "pci0000:00/0000:00:04.0/virtio2/block/vda",
      attributes: { removable: "0\n", ro: "0\n", "queue/rotational": "0\n", serial: "root-disk\n" },
    });
    addDisk(root, "vda1", {
      bytes: 1024,
      device: "pci0000:00/0000:00:04.0/virtio2/block/vda/vda1",
      attributes: { partition: "1\n" },
    });
    addDisk(root, "sdb", {
      bytes: 512,
      device: "pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host3/target3:0:0/3:0:0:0/block/sdb",
      attributes: { removable: "0\n" },
    });
    addDisk(root, "nvme0n1", { bytes: 512, attributes: { wwid: "eui.0011223344556677\n" } });
    t.strictSame(listBlockDevices(fakeIo(root).files), [
      {
        name: "vda1",
        node: "/dev/vda1",
        sizeBytes: 1024,
        removable: false,
        readOnly: false,
        rotational: false,
        partition: true,
        identity: "serial root-disk partition 1",
      },
      {
        name: "vda",
        node: "/dev/vda",
        sizeBytes: 8192,
        removable: false,
        readOnly: false,
        rotational: false,
        partition: false,
        identity: "serial root-disk",
      },
      {
        name: "sr0",
        node: "/dev/sr0",
        sizeBytes: 4096,
        removable: true,
        readOnly: true,
        rotational: true,
        partition: false,
        identity: "place pci0000:00/0000:00:01.1/ata2/0:0:0",
      },
      {
        name: "sdb",
        node: "/dev/sdb",
        sizeBytes: 512,
        removable: true,
        readOnly: false,
        rotational: null,
        partition: false,
        identity: "place pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/0:0:0",
      },
      {
        name: "nvme0n1",
        node: "/dev/nvme0n1",
        sizeBytes: 512,
        removable: false,
        readOnly: false,
        rotational: null,
        partition: false,
        identity: "wwid eui.0011223344556677",
      },
    ]);
  },
);

t.test("what cannot hold a seed is left out", async (t) => {
  const root = t.testdir({ sys: { class: { block: { gone: { size: "8\n" }, nosize: {} } } } });
  addDisk(root, "loop0", { bytes: 0 });
  addDisk(root, "loop1", { bytes: 512 });
  addDisk(root, "ram0");
  addDisk(root, "zram0");
  addDisk(root, "fd0");
  addDisk(root, "mmcblk0boot0");
  addDisk(root, "nvme0c0n1", { attributes: { hidden: "1\n" } });
  addDisk(root, "sda", { attributes: { "holders/dm-0": "" } });
  addDisk(root, "dm-0", { attributes: { "dm/uuid": "mpath-3600\n" } });
  addDisk(root, "dm-1", { attributes: { "dm/uuid": "part2-mpath-3600\n" } });
  addDisk(root, "dm-2", { attributes: { "dm/uuid": "CRYPT-LUKS2-1\n" } });
  addDisk(root, "dm-3", { attributes: { "dm/uuid": "LVM-abc\n" } });
  addDisk(root, "dm-4");
  addDisk(root, "huge", { bytes: 512, attributes: { size: "9007199254740991\n" } });
  addDisk(root, "odd", { bytes: 512, attributes: { size: "many\n" } });
  addDisk(root, "cciss/c0d0", { bytes: 512 });
  const names = listBlockDevices(fakeIo(root).files).map(({ node }) => node);
  t.strictSame(names, ["/dev/loop1", "/dev/dm-1", "/dev/dm-0", "/dev/cciss/c0d0"]);
});

t.test("a machine without sysfs has no disks", async (t) => {
  t.strictSame(listBlockDevices(fakeIo(t.testdir()).files), []);
});

t.test("a device is read no further than the kernel says that it goes", async (t) => {
  const root = t.testdir();
  addDisk(root, "vdb", { bytes: 8192, attributes: { size: "4\n" } });
  const { files } = fakeIo(root);
  const [device] = listBlockDevices(files);
  if (device === undefined) throw new Error("no device");
  const access = openBlockDevice(files, device);
  t.equal(access.size, 2048);
  t.equal(access.read(0, 8192).length, 2048);
  access.close();
});
