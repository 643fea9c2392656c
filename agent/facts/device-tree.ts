import type { DeviceTree } from "#generated/provisioner/facts/facts.ts";
import { type KernelFiles, printable } from "./kernel-files.ts";

/** Where the kernel shows the tree: the ABI since 3.19, and the older name of the same place. */
const roots = ["/sys/firmware/devicetree/base", "/proc/device-tree"] as const;
const maxCompatible = 32;

/**
 * Model and compatible names of the board, or `null` when there is no device tree. The tree that a
 * UEFI boot on ARM or x86 leaves behind holds only `chosen`: it says nothing of the board and is
 * `null` too.
 */
export function readDeviceTree(kernel: KernelFiles): DeviceTree | null {
  const root = deviceTreeRoot(kernel);
  if (root === null) return null;
  const model = strings(kernel, `${root}/model`)[0] ?? null;
  const compatible = strings(kernel, `${root}/compatible`);
  if (compatible.length > maxCompatible) kernel.note(`${root}/compatible`, "too-many");
  if (model === null && compatible.length === 0) return null;
  return { model, compatible: compatible.slice(0, maxCompatible) };
}

/** Names a hypervisor gives itself in the tree, for example `linux,kvm` or `xen,xen`. */
export function readHypervisorNode(kernel: KernelFiles): readonly string[] {
  const root = deviceTreeRoot(kernel);
  return root === null ? [] : strings(kernel, `${root}/hypervisor/compatible`);
}

function deviceTreeRoot(kernel: KernelFiles): string | null {
  return roots.find((root) => kernel.exists(root)) ?? null;
}

/** A property that is a list of strings, each ended by NUL (Devicetree specification, section 2.2.4). */
function strings(kernel: KernelFiles, path: string): string[] {
  const text = kernel.text(path) ?? "";
  const found: string[] = [];
  for (const part of text.split("\0")) {
    const { value, damage } = printable(part);
    if (damage !== null) kernel.note(path, damage);
    if (value !== null) found.push(value);
  }
  return found;
}
