import type { Io } from "#core/io.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { chassisClass } from "#provisioner/facts/chassis.ts";
import { readBlockDevices } from "./block.ts";
import { readCpu } from "./cpu.ts";
import { readDeviceTree } from "./device-tree.ts";
import { readDmi } from "./dmi.ts";
import { readFeatures } from "./features.ts";
import { readFirmware } from "./firmware.ts";
import { readGpus } from "./gpus.ts";
import { kernelFiles } from "./kernel-files.ts";
import { readMemoryBytes } from "./memory.ts";
import { readNetwork } from "./network.ts";
import { readPci } from "./pci.ts";
import { readTpm } from "./tpm.ts";
import { readUsb } from "./usb.ts";
import { readVirtualisation } from "./virtualisation.ts";

/**
 * What this machine is, from the kernel's files below the root of `io`: no process, no network, a
 * few milliseconds, bounded. Never throws; what cannot be read is `null` and named in `unread`.
 */
export function readFacts(io: Pick<Io, "files">): Facts {
  const kernel = kernelFiles(io.files);
  const dmi = readDmi(kernel);
  const deviceTree = readDeviceTree(kernel);
  const cpu = readCpu(kernel);
  const pci = readPci(kernel);
  const usb = readUsb(kernel);
  return {
    v: 1,
    kernelRelease: kernel.value("/proc/sys/kernel/osrelease"),
    dmi,
    deviceTree,
    chassis: chassisClass(dmi?.chassisType ?? null),
    cpu,
    memoryBytes: readMemoryBytes(kernel),
    pci,
    gpus: readGpus(kernel, pci),
    usb,
    blockDevices: readBlockDevices(kernel),
    network: readNetwork(kernel),
    firmware: readFirmware(kernel, cpu, deviceTree),
    tpm: readTpm(kernel),
    features: readFeatures(kernel, { cpu, pci, usb }),
    ...readVirtualisation(kernel, { dmi, deviceTree, cpu, pci }),
    unread: [...kernel.unread].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)),
  };
}
