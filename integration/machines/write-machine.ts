import { lstatSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { newTpmLog, registersAfter } from "#agent/facts/fake-tpm-log.ts";
import type { Machine, MachineDisk, MachineInterface, MachinePci, MachineUsb } from "./machine.ts";

/** What differs from one boot, or one copy, of a machine to the next. */
export interface WriteMachineOptions {
  /** The kernel's id of this boot. */
  readonly bootId?: string;
  /** Hostname that the image came with. */
  readonly hostname?: string;
}

const defaultBootId = "6f1c5c0e-0b6f-4f6e-9d4f-1f5f1a8f0001";
const efiGlobal = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
const firstDisk = 64; // minor number; partitions have those below
const mebibyte = 1024 * 1024;

/** Types of partitions, as udev writes them. */
const partitionTypes = {
  gpt: {
    vfat: "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
    other: "0fc63daf-8483-4772-8e79-3d69d8477de4",
  },
  dos: { vfat: "0xc", other: "0x83" },
} as const;

/**
 * Writes a machine into a directory that then serves as its root: `/sys`, `/proc`, `/dev/disk` and
 * `/etc/os-release`, with the links that the kernel makes. The directory must be new or empty.
 */
export function writeMachine(
  directory: string,
  machine: Machine,
  options: WriteMachineOptions = {},
): void {
  const tree = treeBelow(directory);
  for (const bus of ["pci", "usb"]) tree.directory(`/sys/bus/${bus}/devices`);
  for (const place of [
    "/sys/block",
    "/sys/class/net",
    "/sys/firmware",
    "/dev/disk/by-id",
    "/run",
    "/var/lib",
  ]) {
    tree.directory(place);
  }
  writeProc(tree, machine, options);
  for (const [name, value] of Object.entries(machine.dmi ?? {})) {
    tree.file(`/sys/devices/virtual/dmi/id/${name}`, `${value}\n`);
  }
  if (machine.dmi !== null) tree.link("../../devices/virtual/dmi/id", "/sys/class/dmi/id");
  if (machine.deviceTree !== null) writeDeviceTree(tree, machine.deviceTree);
  for (const device of machine.pci) writePci(tree, device);
  for (const device of machine.usb) writeUsb(tree, device);
  machine.disks.forEach((disk, index) => {
    writeDisk(tree, disk, { number: `259:${firstDisk + index}`, table: tableOf(machine) });
  });
  writeFileSystems(tree, machine);
  for (const networkInterface of machine.network) writeInterface(tree, networkInterface);
  writeLoopback(tree);
  if (machine.uefi !== null) writeUefi(tree, machine.uefi);
  if (machine.tpm !== null) writeTpm(tree, machine.tpm);
  tree.file(
    "/sys/devices/system/clocksource/clocksource0/available_clocksource",
    `${machine.clocks} \n`,
  );
  for (const [file, content] of Object.entries(machine.files)) tree.file(file, content);
}

interface Tree {
  file(file: string, content: string | Uint8Array): void;
  directory(file: string): void;
  link(target: string, file: string): void;
}

function treeBelow(root: string): Tree {
  const place = (file: string) => path.join(root, file);
  const parent = (file: string) => mkdirSync(path.dirname(place(file)), { recursive: true });
  return {
    file(file, content) {
      parent(file);
      writeFileSync(place(file), content);
    },
    directory: (file) => void mkdirSync(place(file), { recursive: true }),
    link(target, file) {
      parent(file);
      // Two devices may share a driver, and a disk's controller is among the PCI functions too.
      if (lstatSync(place(file), { throwIfNoEntry: false }) === undefined)
        symlinkSync(target, place(file));
    },
  };
}

function writeProc(tree: Tree, machine: Machine, options: WriteMachineOptions): void {
  const processors = Array.from({ length: machine.threads }, (_, n) =>
    machine.cpuinfo.replaceAll("{n}", String(n)).replaceAll("{core}", String(n >> 1)),
  );
  tree.file("/proc/cpuinfo", `${processors.join("\n")}\n${machine.cpuinfoEnd}`);
  tree.file(
    "/proc/meminfo",
    `MemTotal:       ${machine.memoryKibibytes} kB\nMemFree:        ${Math.floor(machine.memoryKibibytes / 2)} kB\n`,
  );
  tree.file("/proc/sys/kernel/osrelease", `${machine.kernelRelease}\n`);
  tree.file("/proc/sys/kernel/arch", `${machine.architecture}\n`);
  tree.file("/proc/sys/kernel/hostname", `${options.hostname ?? "nixos"}\n`);
  tree.file("/proc/sys/kernel/random/boot_id", `${options.bootId ?? defaultBootId}\n`);
  tree.file("/proc/cmdline", "init=/nix/var/nix/profiles/system/init loglevel=4\n");
  tree.file(
    "/etc/os-release",
    'ID=nixos\nNAME=NixOS\nPRETTY_NAME="NixOS 25.05 (Warbler)"\nVERSION_ID="25.05"\n',
  );
}

function writeDeviceTree(tree: Tree, deviceTree: NonNullable<Machine["deviceTree"]>): void {
  const base = "/sys/firmware/devicetree/base";
  tree.file(`${base}/model`, `${deviceTree.model}\0`);
  tree.file(`${base}/compatible`, `${deviceTree.compatible.join("\0")}\0`);
  tree.link("../sys/firmware/devicetree/base", "/proc/device-tree");
}

/** A driver of a bus, with its module unless it is built in. */
function bindDriver(
  tree: Tree,
  device: string,
  driver: { readonly bus: string; readonly name: string; readonly module?: string | undefined },
): void {
  const place = `/sys/bus/${driver.bus}/drivers/${driver.name}`;
  const up = "../".repeat(device.split("/").length - 2);
  tree.directory(place);
  tree.link(`${up}bus/${driver.bus}/drivers/${driver.name}`, `${device}/driver`);
  if (driver.module === undefined) return;
  tree.directory(`/sys/module/${driver.module}`);
  tree.link(`../../../../module/${driver.module}`, `${place}/module`);
}

function writePci(tree: Tree, device: MachinePci): void {
  const here = `/sys/devices/pci${device.slot.slice(0, 4)}:00/${device.slot}`;
  const lines = [
    ...(device.driver === undefined ? [] : [`DRIVER=${device.driver}`]),
    `PCI_CLASS=${device.class.replace(/^0+/, "").toUpperCase()}`,
    `PCI_ID=${device.id.toUpperCase()}`,
    `PCI_SUBSYS_ID=${device.subsystem.toUpperCase()}`,
    `PCI_SLOT_NAME=${device.slot}`,
  ];
  tree.file(`${here}/uevent`, `${lines.join("\n")}\n`);
  const [vendor = "", id = ""] = device.id.split(":");
  tree.file(`${here}/vendor`, `0x${vendor}\n`);
  tree.file(`${here}/device`, `0x${id}\n`);
  tree.file(`${here}/class`, `0x${device.class}\n`);
  if (device.bootVga !== undefined) tree.file(`${here}/boot_vga`, device.bootVga ? "1\n" : "0\n");
  if (device.driver !== undefined)
    bindDriver(tree, here, { bus: "pci", name: device.driver, module: device.module });
  tree.link(`../../..${here.slice("/sys".length)}`, `/sys/bus/pci/devices/${device.slot}`);
}

function writeUsb(tree: Tree, device: MachineUsb): void {
  const here = `/sys/devices/usb/${device.port}`;
  const product = device.id
    .split(":")
    .map((id) => Number.parseInt(id, 16).toString(16))
    .join("/");
  tree.file(
    `${here}/uevent`,
    `DEVTYPE=usb_device\nDRIVER=usb\nPRODUCT=${product}/100\nTYPE=0/0/0\n`,
  );
  tree.file(`${here}/manufacturer`, `${device.manufacturer}\n`);
  tree.file(`${here}/product`, `${device.product}\n`);
  tree.link(`../../..${here.slice("/sys".length)}`, `/sys/bus/usb/devices/${device.port}`);
  device.interfaces.forEach((each, index) => {
    const name = `${device.port}:1.${index}`;
    // Bluetooth is the first protocol of the first sub-class of wireless controllers.
    const kind = each.class === 224 ? "224/1/1" : `${each.class}/0/0`;
    tree.file(`${here}/${name}/uevent`, `DEVTYPE=usb_interface\nINTERFACE=${kind}\n`);
    if (each.driver !== undefined) {
      bindDriver(tree, `${here}/${name}`, { bus: "usb", name: each.driver, module: each.driver });
    }
    tree.link(`../../..${here.slice("/sys".length)}/${name}`, `/sys/bus/usb/devices/${name}`);
  });
}

function tableOf(machine: Machine): keyof typeof partitionTypes {
  return machine.uefi === null ? "dos" : "gpt";
}

function writeDisk(
  tree: Tree,
  disk: MachineDisk,
  { number, table }: { readonly number: string; readonly table: string },
): void {
  const here = `/sys/devices/${disk.path}`;
  tree.file(`${here}/dev`, `${number}\n`);
  tree.file(`/run/udev/data/b${number}`, `E:ID_PART_TABLE_TYPE=${table}\nG:systemd\n`);
  tree.file(`${here}/size`, `${disk.sizeBytes / 512}\n`);
  tree.file(`${here}/removable`, "0\n");
  tree.file(`${here}/ro`, "0\n");
  tree.file(`${here}/queue/rotational`, disk.rotational ? "1\n" : "0\n");
  for (const [name, value] of Object.entries(disk.device))
    tree.file(`${here}/device/${name}`, `${value}\n`);
  if (disk.wwid !== undefined) tree.file(`${here}/wwid`, `${disk.wwid}\n`);
  tree.link(`../devices/${disk.path}`, `/sys/block/${disk.name}`);
  tree.link(`../../devices/${disk.path}`, `/sys/class/block/${disk.name}`);
  for (const name of disk.byId) tree.link(`../../${disk.name}`, `/dev/disk/by-id/${name}`);
  for (const [device, module] of Object.entries(disk.drivers)) {
    bindDriver(tree, `/sys/devices/${device}`, { bus: "pci", name: module, module });
  }
}

function writeFileSystems(tree: Tree, machine: Machine): void {
  const { fileSystems, disks } = machine;
  const lines = fileSystems.map(
    ({ path: place, partition, type }, index) =>
      `${index + 30} 1 259:${index} / ${place} rw,relatime shared:1 - ${type} /dev/${partition} rw\n`,
  );
  const proc = "22 1 0:21 / /proc rw,nosuid shared:2 - proc proc rw\n";
  tree.file("/proc/self/mountinfo", lines.join("") + proc);
  const types = partitionTypes[tableOf(machine)];
  for (const [index, { partition, label, type }] of fileSystems.entries()) {
    tree.file(`/dev/${partition}`, "");
    const disk = disks.find(({ name }) => partition.startsWith(name));
    const place = `devices/${disk?.path}/${partition}`;
    const whole = disk?.sizeBytes ?? 0;
    const bytes = type === "vfat" ? 512 * mebibyte : whole - (whole % mebibyte) - 1024 * mebibyte;
    tree.file(`/sys/${place}/partition`, `${/[0-9]+$/.exec(partition)}\n`);
    tree.file(`/sys/${place}/size`, `${bytes / 512}\n`);
    tree.file(`/sys/${place}/dev`, `259:${index}\n`);
    tree.file(
      `/run/udev/data/b259:${index}`,
      `E:ID_FS_TYPE=${type}\nE:ID_PART_ENTRY_TYPE=${type === "vfat" ? types.vfat : types.other}\n`,
    );
    tree.link(`../../${place}`, `/sys/class/block/${partition}`);
    tree.link(`../../${partition}`, `/dev/disk/by-label/${label}`);
  }
}

function writeInterface(tree: Tree, networkInterface: MachineInterface): void {
  const device = `/sys/devices/${networkInterface.device}`;
  const here = `${device}/net/${networkInterface.name}`;
  tree.file(`${here}/type`, "1\n");
  tree.file(`${here}/address`, `${networkInterface.mac}\n`);
  tree.file(`${here}/operstate`, "up\n");
  const type = networkInterface.wifi === true ? "DEVTYPE=wlan\n" : "";
  tree.file(`${here}/uevent`, `${type}INTERFACE=${networkInterface.name}\nIFINDEX=2\n`);
  tree.link("../..", `${here}/device`);
  bindDriver(tree, device, {
    bus: "pci",
    name: networkInterface.driver,
    module: networkInterface.module,
  });
  tree.link(
    `../../devices/${networkInterface.device}/net/${networkInterface.name}`,
    `/sys/class/net/${networkInterface.name}`,
  );
}

function writeLoopback(tree: Tree): void {
  const here = "/sys/devices/virtual/net/lo";
  tree.file(`${here}/type`, "772\n");
  tree.file(`${here}/address`, "00:00:00:00:00:00\n");
  tree.file(`${here}/operstate`, "unknown\n");
  tree.file(`${here}/uevent`, "INTERFACE=lo\nIFINDEX=1\n");
  tree.link("../../devices/virtual/net/lo", "/sys/class/net/lo");
}

/** A TPM 2.0 has a log that explains its registers. */
function writeTpm(tree: Tree, version: 1 | 2): void {
  const here = "/sys/class/tpm/tpm0";
  tree.file(`${here}/tpm_version_major`, `${version}\n`);
  if (version === 1) return;
  const events = [
    { register: 0, data: "firmware" },
    { register: 4, data: "boot loader" },
  ];
  tree.file("/sys/kernel/security/tpm0/binary_bios_measurements", newTpmLog(events));
  for (const [register, value] of registersAfter("sha256", events).entries()) {
    tree.file(`${here}/pcr-sha256/${register}`, `${value}\n`);
  }
}

function writeUefi(tree: Tree, uefi: NonNullable<Machine["uefi"]>): void {
  const variable = (name: string, value: boolean) =>
    tree.file(
      `/sys/firmware/efi/efivars/${name}-${efiGlobal}`,
      new Uint8Array([6, 0, 0, 0, value ? 1 : 0]),
    );
  tree.file("/sys/firmware/efi/fw_platform_size", "64\n");
  variable("SecureBoot", uefi.secureBoot);
  variable("SetupMode", uefi.setupMode);
}
