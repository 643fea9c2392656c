import type { Files } from "#core/io.ts";
import { readKernelArguments } from "./kernel-command-line.ts";

/** What a cloud can be told by: what its firmware and hypervisor say of themselves; empty where they say nothing. */
export interface Identity {
  readonly sysVendor: string;
  readonly productName: string;
  readonly productSerial: string;
  /** In lower case. */
  readonly productUuid: string;
  readonly chassisAssetTag: string;
  /** Of Xen, in lower case. */
  readonly hypervisorUuid: string;
  readonly kernelArguments: readonly string[];
  /** Of the files by which clouds mark their machines, those that there are. */
  readonly markFiles: readonly string[];
}

const markFiles = ["/var/run/scaleway"];

const maxBytes = 4 * 1024;

/** Reads some small files of the kernel; no process, no network. */
export function readIdentity(files: Files): Identity {
  const read = (path: string) => files.readText(path, { maxBytes })?.trim() ?? "";
  const dmi = (name: string) => read(`/sys/class/dmi/id/${name}`);
  return {
    sysVendor: dmi("sys_vendor"),
    productName: dmi("product_name"),
    productSerial: dmi("product_serial"),
    productUuid: dmi("product_uuid").toLowerCase(),
    chassisAssetTag: dmi("chassis_asset_tag"),
    hypervisorUuid: read("/sys/hypervisor/uuid").toLowerCase(),
    kernelArguments: readKernelArguments(files),
    markFiles: markFiles.filter((path) => files.stat(path)?.kind === "file"),
  };
}
