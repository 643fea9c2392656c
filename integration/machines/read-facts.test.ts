import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { readFacts } from "#agent/facts/read-facts.ts";
import { fakeIo } from "#core/fake-io.ts";
import { fc } from "#core/fast-check.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { validate } from "#generated/provisioner/facts/facts.validate.js";
import { factsFromFacter, isFacterReport } from "#provisioner/facts/facter.ts";
import { withoutFacterLosses } from "#provisioner/facts/facter-losses.ts";
import { facterFromFacts } from "#provisioner/facts/to-facter.ts";
import { filesBelow } from "../files-below.ts";
import { ec2Nitro } from "./ec2-nitro.ts";
import { framework13Amd7040 } from "./framework-13-amd-7040.ts";
import { genericX86 } from "./generic-x86.ts";
import type { Machine } from "./machine.ts";
import { qemuQ35 } from "./qemu-q35.ts";
import { raspberryPi4 } from "./raspberry-pi-4.ts";
import { writeMachine } from "./write-machine.ts";

const machines = [framework13Amd7040, raspberryPi4, ec2Nitro, qemuQ35, genericX86];

function factsOf(directory: string, machine: Machine): Facts {
  writeMachine(directory, machine);
  return readFacts(fakeIo(directory));
}

t.test(
  "the facts of every recorded machine fit their schema, and nothing is left unread",
  async (t) => {
    for (const machine of machines) {
      const facts = factsOf(`${t.testdir({ [machine.name]: {} })}/${machine.name}`, machine);
      t.ok(validate(facts), machine.name, { errors: validate.errors });
      t.same(facts.unread, [], machine.name);
    }
  },
);

t.test("the facts of every machine go to a report for NixOS and come back", async (t) => {
  for (const machine of machines) {
    const facts = factsOf(`${t.testdir({ [machine.name]: {} })}/${machine.name}`, machine);
    const report: unknown = JSON.parse(JSON.stringify(facterFromFacts(facts)));
    t.ok(isFacterReport(report), machine.name);
    if (isFacterReport(report))
      t.same(factsFromFacter(report), withoutFacterLosses(facts), machine.name);
  }
});

t.test("reading starts no process and changes nothing", async (t) => {
  const directory = t.testdir({});
  writeMachine(directory, framework13Amd7040);
  const io = fakeIo(directory);
  t.same(readFacts(io), readFacts(io), "the same files give the same facts");
  t.same(io.executed, []);
  t.same(io.effects, []);
});

t.test("a Framework Laptop 13 is described by SMBIOS, PCI and USB", async (t) => {
  const facts = factsOf(t.testdir({}), framework13Amd7040);
  t.match(facts.dmi, {
    sysVendor: "Framework",
    productName: "Laptop 13 (AMD Ryzen 7040Series)",
    boardName: "FRANMDCP07",
    biosDate: "2024-03-29",
    chassisType: 10,
    chassisAssetTag: null,
  });
  t.match(facts.cpu, {
    architecture: "x86_64",
    vendor: "AuthenticAMD",
    family: 25,
    model: 116,
    cores: 8,
    hypervisor: false,
  });
  t.equal(facts.memoryBytes, 32_505_856 * 1024);
  t.match(facts.firmware, { type: "uefi", secureBoot: false, setupMode: false, platformBits: 64 });
  t.same(facts.tpm, { version: "2.0", eventLog: "complete" });
  t.equal(facts.chassis, "laptop");
  t.equal(facts.cpu.microcode, "0xa704104");
  t.same(facts.gpus, [
    {
      slot: "0000:c1:00.0",
      vendor: "1002",
      device: "15bf",
      busId: "PCI:193:0:0",
      bootVga: true,
      driver: "amdgpu",
    },
  ]);
  t.same(facts.features, {
    bluetooth: true,
    fingerprint: true,
    camera: true,
    touchscreen: false,
    sensors: ["als"],
    battery: true,
  });
  t.same(facts.virtualisationWitnesses, [{ source: "cpu", says: "none" }]);
  t.equal(facts.virtualisation, "none");
  t.match(
    facts.pci?.find((device) => device.class === "030000"),
    {
      slot: "0000:c1:00.0",
      vendor: "1002",
      device: "15bf",
      subsystemVendor: "f111",
      driver: "amdgpu",
      module: "amdgpu",
    },
  );
  t.match(
    facts.usb?.find((device) => device.vendor === "0e8d"),
    { product: "e616", interfaceClasses: ["e0"], modules: ["btusb"] },
  );
  t.same(facts.blockDevices, [
    {
      name: "nvme0n1",
      sizeBytes: 1_000_204_886_016,
      removable: false,
      readOnly: false,
      rotational: false,
      model: "WD_BLACK SN850X 1000GB",
      transport: "nvme",
      wwid: "eui.0000000000000001",
      byId: ["nvme-WD_BLACK_SN850X_1000GB_000000000001", "nvme-eui.0000000000000001"],
      modules: ["nvme"],
      partitionTable: "gpt",
      signature: "none",
      partitions: [
        {
          name: "nvme0n1p1",
          number: 1,
          sizeBytes: 536_870_912,
          type: "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
          signature: "vfat",
        },
        {
          name: "nvme0n1p2",
          number: 2,
          sizeBytes: 999_130_398_720,
          type: "0fc63daf-8483-4772-8e79-3d69d8477de4",
          signature: "ext4",
        },
      ],
    },
  ]);
  t.match(facts.network, [
    { name: "lo", kind: "loopback", physical: false, mac: null },
    { name: "wlp1s0", kind: "wifi", physical: true, mac: "00:00:5e:00:53:01", driver: "mt7921e" },
  ]);
});

t.test("a Raspberry Pi 4 is described by its device tree", async (t) => {
  const facts = factsOf(t.testdir({}), raspberryPi4);
  t.equal(facts.dmi, null);
  t.same(facts.deviceTree, {
    model: "Raspberry Pi 4 Model B Rev 1.4",
    compatible: ["raspberrypi,4-model-b", "brcm,bcm2711"],
  });
  t.match(facts.cpu, {
    architecture: "aarch64",
    vendor: "ARM",
    family: 8,
    model: 0xd08,
    threads: 4,
    cores: 4,
    sockets: 1,
    hypervisor: null,
  });
  t.match(facts.firmware, { type: "device-tree", secureBoot: false });
  t.equal(facts.virtualisation, "none");
  t.same(facts.usb, [], "looked, and there is none");
  t.match(facts.blockDevices, [
    { name: "mmcblk1", transport: "mmc", model: "SL32G", modules: ["mmc_block", "sdhci_iproc"] },
  ]);
});

t.test("an EC2 instance and a QEMU guest are told apart from bare metal", async (t) => {
  const directory = t.testdir({ ec2: {}, qemu: {}, box: {} });
  const ec2 = factsOf(`${directory}/ec2`, ec2Nitro);
  t.equal(ec2.virtualisation, "amazon");
  t.equal(ec2.dmi?.chassisAssetTag, "Amazon EC2", "a platform's own name is kept");
  t.equal(ec2.dmi?.boardName, null, "an empty string is unknown");
  t.notMatch(JSON.stringify(ec2), /i-0123|ec200000/, "no serial number, no UUID");
  const qemu = factsOf(`${directory}/qemu`, qemuQ35);
  t.equal(qemu.virtualisation, "kvm");
  t.match(qemu.blockDevices, [
    { name: "vda", transport: "virtio", modules: ["virtio_blk", "virtio_pci"] },
  ]);
  t.equal(qemu.firmware.type, "bios");
  const box = factsOf(`${directory}/box`, genericX86);
  t.equal(box.virtualisation, "none");
  t.match(box.blockDevices, [
    { name: "sda", transport: "ata", modules: ["sd_mod", "ahci"], wwid: "naa.5000000000000001" },
  ]);
});

t.test("an empty root gives unknown, never none", async (t) => {
  const facts = readFacts(fakeIo(t.testdir({})));
  t.ok(validate(facts), "still fits the schema", { errors: validate.errors });
  t.match(facts, {
    dmi: null,
    pci: null,
    usb: null,
    blockDevices: null,
    network: null,
    tpm: null,
    virtualisation: null,
    chassis: null,
    gpus: null,
    features: {
      bluetooth: null,
      fingerprint: null,
      camera: null,
      touchscreen: null,
      sensors: null,
      battery: null,
    },
    virtualisationWitnesses: [],
  });
  t.match(facts.cpu, { architecture: null, threads: null, flags: null });
  t.match(facts.firmware, { type: null, secureBoot: null });
  t.same(facts.unread, []);
});

t.test("damaged, huge and hostile files become unknown or clean text, and are named", async (t) => {
  const directory = t.testdir({});
  writeMachine(directory, framework13Amd7040);
  const place = (file: string) => path.join(directory, file);
  const dmi = "/sys/devices/virtual/dmi/id";
  const junk = Buffer.from(Array.from({ length: 200 }, (_, n) => (n * 7) % 256));
  writeFileSync(place(`${dmi}/product_name`), junk);
  writeFileSync(place(`${dmi}/board_name`), "FRANM\u0000D\u001b[31mCP07\u202e\n");
  writeFileSync(place(`${dmi}/sys_vendor`), "x".repeat(2000));
  writeFileSync(place(`${dmi}/bios_version`), "");
  truncateSync(place(`${dmi}/bios_version`), 1024 * 1024 * 1024);
  writeFileSync(place(`${dmi}/chassis_type`), "many\n");
  writeFileSync(place(`${dmi}/bios_date`), "13/45/2024\n");
  writeFileSync(place("/proc/meminfo"), junk);
  writeFileSync(place("/proc/cpuinfo"), junk);
  writeFileSync(place("/sys/devices/pci0000:00/0000:c1:00.0/uevent"), junk);
  writeFileSync(place("/sys/devices/pci0000:00/0000:02:00.0/nvme/nvme0/nvme0n1/size"), "-1\n");
  writeFileSync(
    place("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"),
    "",
  );
  mkdirSync(place("/sys/block/loop"), { recursive: true });
  symlinkSync("../devices/virtual/block/away", place("/sys/block/away"));
  symlinkSync("round", place("/sys/block/round"));
  const facts = readFacts(fakeIo(directory));
  t.ok(validate(facts), "still fits the schema", { errors: validate.errors });
  t.equal(facts.dmi?.boardName, "FRANMD[31mCP07", "control and direction characters are gone");
  t.equal(facts.dmi?.sysVendor?.length, 256);
  t.equal(facts.dmi?.biosVersion, null);
  t.equal(facts.dmi?.chassisType, null);
  t.equal(facts.dmi?.biosDate, null);
  t.equal(facts.memoryBytes, null);
  t.equal(facts.cpu.threads, null);
  t.equal(facts.firmware.secureBoot, null);
  t.equal(facts.pci?.length, framework13Amd7040.pci.length - 1);
  t.equal(facts.blockDevices?.find((disk) => disk.name === "nvme0n1")?.sizeBytes, null);
  const named = new Map(facts.unread.map((entry) => [entry.path, entry.why]));
  t.equal(named.get("/sys/class/dmi/id/bios_version"), "too-large");
  t.equal(named.get("/sys/class/dmi/id/product_name"), "malformed");
  t.equal(named.get("/sys/bus/pci/devices/0000:c1:00.0/uevent"), "malformed");
  t.ok(named.has("/sys/block/round"), "a link to itself is named");
});

t.test("whatever the files hold, the facts fit their schema", async (t) => {
  const directory = t.testdir({});
  writeMachine(directory, framework13Amd7040);
  const files = filesBelow(directory).toSorted();
  const damage = fc.array(fc.tuple(fc.nat(files.length - 1), fc.uint8Array({ maxLength: 400 })), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(damage, (changes) => {
      for (const [at, bytes] of changes) writeFileSync(files[at] ?? "", bytes);
      return validate(readFacts(fakeIo(directory)));
    }),
    { numRuns: 50, seed: 20_261_124 },
  );
  t.pass("held");
});

t.test("what changes from boot to boot is no fact", async (t) => {
  const directory = t.testdir({});
  writeMachine(directory, framework13Amd7040);
  const before = readFacts(fakeIo(directory));
  const now = {
    "/sys/class/power_supply/BAT1/capacity": "12\n",
    "/sys/class/power_supply/BAT1/status": "Charging\n",
    "/sys/class/hwmon/hwmon0/temp1_input": "71000\n",
    "/sys/bus/iio/devices/iio:device0/in_illuminance_raw": "4711\n",
    "/sys/devices/pci0000:00/0000:02:00.0/nvme/nvme0/nvme0n1/stat": "1 2 3\n",
    "/sys/class/bluetooth/hci0/uevent": "DEVTYPE=host\n",
    "/sys/class/input/input9/name": "a mouse that was plugged in\n",
    "/proc/uptime": "12.3 45.6\n",
    "/proc/loadavg": "1.0 2.0 3.0 1/2 3\n",
    "/run/udev/data/b259:0":
      "I:99999999\nE:ID_FS_TYPE=ext4\nE:ID_PART_ENTRY_TYPE=0fc63daf-8483-4772-8e79-3d69d8477de4\nE:ID_FS_FSSIZE=17\n",
  };
  for (const [file, text] of Object.entries(now)) {
    mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
    writeFileSync(path.join(directory, file), text);
  }
  const after = readFacts(fakeIo(directory));
  t.same(after, before);
});

t.test("a bus that claims thousands of devices is read up to a bound", async (t) => {
  const directory = t.testdir({});
  const devices = path.join(directory, "sys/class/net");
  mkdirSync(devices, { recursive: true });
  for (let n = 0; n < 1100; n++) {
    mkdirSync(path.join(devices, `dummy${n}`));
    writeFileSync(path.join(devices, `dummy${n}`, "type"), "1\n");
  }
  const facts = readFacts(fakeIo(directory));
  t.equal(facts.network?.length, 1024);
  t.same(facts.unread, [{ path: "/sys/class/net", why: "too-many" }]);
});
