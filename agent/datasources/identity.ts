import { isFault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";
import { isContainer } from "../container.ts";
import { readInitEnvironment } from "./init-environment.ts";
import { readKernelArguments } from "./kernel-command-line.ts";

/**
 * What a cloud can be told by: what its firmware and hypervisor say of themselves; empty where they say
 * nothing, and in a container, where they speak of another machine.
 */
export interface Identity {
  readonly sysVendor: string;
  readonly productName: string;
  readonly productSerial: string;
  /** In lower case. */
  readonly productUuid: string;
  readonly chassisAssetTag: string;
  readonly boardAssetTag: string;
  readonly biosVersion: string;
  /** Of Xen, in lower case. */
  readonly hypervisorUuid: string;
  /** What Xen's version says beside its numbers: `.amazon`. */
  readonly hypervisorVersion: string;
  readonly kernelArguments: readonly string[];
  /** As `uname -v` says it. */
  readonly kernelVersion: string;
  /** `product_name` in the environment of process 1: containers have no firmware. */
  readonly initProductName: string;
  /** Of the files by which clouds mark their machines, those that there are. */
  readonly markFiles: readonly string[];
  /** The same of sockets. */
  readonly markSockets: readonly string[];
  /** Names of the ports that a hypervisor has for programs of its guest. */
  readonly virtioPorts: readonly string[];
}

const markFiles = ["/etc/vultr", "/var/lib/cloud/seed/azure/ovf-env.xml", "/var/run/scaleway"];

const markSockets = ["/dev/lxd/sock", "/dev/incus/sock", "/native/.zonecontrol/metadata.sock"];
const virtioPorts = "/sys/class/virtio-ports";
const mostPorts = 64;

const maxBytes = 64 * 1024;

/** Reads some small files of the kernel; no process, no network. */
export function readIdentity(files: Files): Identity {
  const isHost = !isContainer(files);
  const read = (path: string) => readTextIn(files, path).trim();
  const ofMachine = (path: string) => (isHost ? read(path) : "");
  const dmi = (name: string) => ofMachine(`/sys/class/dmi/id/${name}`);
  return {
    sysVendor: dmi("sys_vendor"),
    productName: dmi("product_name"),
    productSerial: dmi("product_serial"),
    productUuid: dmi("product_uuid").toLowerCase(),
    chassisAssetTag: dmi("chassis_asset_tag"),
    boardAssetTag: dmi("board_asset_tag"),
    biosVersion: dmi("bios_version"),
    hypervisorUuid: ofMachine("/sys/hypervisor/uuid").toLowerCase(),
    hypervisorVersion: ofMachine("/sys/hypervisor/version/extra"),
    kernelArguments: readKernelArguments(files),
    kernelVersion: read("/proc/sys/kernel/version"),
    initProductName: readInitEnvironment(files).get("product_name") ?? "",
    markFiles: markFiles.filter((path) => files.stat(path)?.kind === "file"),
    markSockets: markSockets.filter((path) => files.stat(path)?.kind === "other"),
    virtioPorts: (isHost ? files.list(virtioPorts).slice(0, mostPorts) : []).map((port) =>
      read(`${virtioPorts}/${port}/name`),
    ),
  };
}

/** What only root may read, or one with a right to other processes, says nothing to others. */
function readTextIn(files: Files, path: string): string {
  try {
    return files.readText(path, { maxBytes }) ?? "";
  } catch (error) {
    if (isFault(error, "io/read-failed") || isFault(error, "io/too-large")) return "";
    throw error;
  }
}
