import type { Cpu, DeviceTree, Firmware } from "#generated/provisioner/facts/facts.ts";
import type { KernelFiles } from "./kernel-files.ts";

/** Vendor of the variables that the UEFI specification itself defines (section 3.3). */
const globalVariables = "8be4df61-93ca-11d2-aa0d-00e098032b8c";

/** What started the kernel: UEFI where the kernel shows it, else the device tree, else a PC's BIOS. */
export function readFirmware(
  kernel: KernelFiles,
  cpu: Cpu,
  deviceTree: DeviceTree | null,
): Firmware {
  if (kernel.exists("/sys/firmware/efi")) {
    const bits = kernel.number("/sys/firmware/efi/fw_platform_size");
    return {
      type: "uefi",
      secureBoot: readVariable(kernel, "SecureBoot"),
      setupMode: readVariable(kernel, "SetupMode"),
      platformBits: bits === 64 || bits === 32 ? bits : null,
    };
  }
  if (deviceTree !== null) return without("device-tree");
  const pc = cpu.architecture === "x86_64" || cpu.architecture === "i686";
  if (pc && kernel.exists("/sys/firmware")) return without("bios");
  return { type: null, secureBoot: null, setupMode: null, platformBits: null };
}

function without(type: "bios" | "device-tree"): Firmware {
  return { type, secureBoot: false, setupMode: false, platformBits: null };
}

/** A variable of one byte, behind four bytes of attributes (Linux, `Documentation/filesystems/efivarfs.rst`). */
function readVariable(kernel: KernelFiles, name: string): boolean | null {
  const path = `/sys/firmware/efi/efivars/${name}-${globalVariables}`;
  const bytes = kernel.bytes(path, 4096);
  if (bytes === null) return null;
  const [value] = bytes.subarray(4);
  if (bytes.length === 5 && (value === 0 || value === 1)) return value === 1;
  kernel.note(path, "malformed");
  return null;
}
