import type { Cpu } from "#generated/provisioner/facts/facts.ts";
import { factualFlags } from "#provisioner/facts/cpu-flags.ts";
import { type KernelFiles, printable } from "./kernel-files.ts";

// A machine of 1,024 threads writes about 1.6 kB for each.
const maxCpuinfoBytes = 8 * 1024 * 1024;
const maxTopologyEntries = 4096;

/** Implementers of the ARM architecture (Linux, `arch/arm64/include/asm/cputype.h`). */
const armImplementers: Readonly<Record<string, string>> = {
  "0x41": "ARM",
  "0x42": "Broadcom",
  "0x43": "Cavium",
  "0x46": "Fujitsu",
  "0x48": "HiSilicon",
  "0x4e": "NVIDIA",
  "0x50": "APM",
  "0x51": "Qualcomm",
  "0x53": "Samsung",
  "0x61": "Apple",
  "0x6d": "Microsoft",
  "0xc0": "Ampere",
};

/** The processors from `/proc/cpuinfo`, `/proc/sys/kernel/arch` and, where those are silent, the topology in sysfs. */
export function readCpu(kernel: KernelFiles): Cpu {
  const info = parseCpuinfo(kernel.text("/proc/cpuinfo", maxCpuinfoBytes) ?? "");
  const { first } = info;
  const flags = (first.get("flags") ?? first.get("Features") ?? "")
    .split(/\s+/)
    .filter((flag) => flag !== "");
  const x86 = first.has("vendor_id") && first.has("flags");
  const topology = info.cores === null ? readTopology(kernel) : info;
  const implementer = first.get("CPU implementer");
  return {
    architecture: kernel.value("/proc/sys/kernel/arch") ?? guessArchitecture(first, flags),
    vendor: shown(first.get("vendor_id")) ?? armVendor(implementer),
    family: integer(first.get("cpu family") ?? first.get("CPU architecture")),
    model: integer(first.get("model") ?? first.get("CPU part")),
    stepping: integer(first.get("stepping") ?? first.get("CPU revision")),
    microcode: microcodeOf(first.get("microcode")),
    name: shown(first.get("model name")),
    sockets: topology.sockets,
    cores: topology.cores,
    threads: info.threads === 0 ? null : info.threads,
    flags: flags.length === 0 ? null : factualFlags(flags),
    hypervisor: x86 ? flags.includes("hypervisor") : null,
  };
}

interface Cpuinfo {
  /** Lines of the first processor, and those that stand before any. */
  readonly first: ReadonlyMap<string, string>;
  readonly threads: number;
  readonly sockets: number | null;
  readonly cores: number | null;
}

function parseCpuinfo(text: string): Cpuinfo {
  const first = new Map<string, string>();
  const sockets = new Set<string>();
  const cores = new Set<string>();
  let threads = 0;
  let socket = "";
  for (const line of text.split("\n")) {
    const at = line.indexOf(":");
    if (at < 0) continue;
    const key = line.slice(0, at).trim();
    const value = line.slice(at + 1).trim();
    if (key === "processor") threads += 1;
    if (threads <= 1 && !first.has(key)) first.set(key, value);
    if (key === "physical id") {
      socket = value;
      sockets.add(value);
    }
    if (key === "core id") cores.add(`${socket}/${value}`);
  }
  return {
    first,
    threads,
    sockets: sockets.size === 0 ? null : sockets.size,
    cores: cores.size === 0 ? null : cores.size,
  };
}

/** Distinct packages and cores as sysfs counts them; ARM's cpuinfo names neither. */
function readTopology(kernel: KernelFiles): {
  readonly sockets: number | null;
  readonly cores: number | null;
} {
  const directory = "/sys/devices/system/cpu";
  const sockets = new Set<string>();
  const cores = new Set<string>();
  for (const name of kernel.list(directory, maxTopologyEntries) ?? []) {
    if (!/^cpu[0-9]+$/.test(name)) continue;
    const socket = kernel.value(`${directory}/${name}/topology/physical_package_id`);
    const core = kernel.value(`${directory}/${name}/topology/core_id`);
    if (socket === null || core === null) continue;
    sockets.add(socket);
    cores.add(`${socket}/${core}`);
  }
  return {
    sockets: sockets.size === 0 ? null : sockets.size,
    cores: cores.size === 0 ? null : cores.size,
  };
}

/** For kernels before 6.1, which have no `/proc/sys/kernel/arch`. */
function guessArchitecture(
  first: ReadonlyMap<string, string>,
  flags: readonly string[],
): string | null {
  if (first.has("vendor_id") && first.has("cpu family"))
    return flags.includes("lm") ? "x86_64" : "i686";
  if (first.has("CPU implementer"))
    return first.get("CPU architecture") === "8" ? "aarch64" : "armv7l";
  if (first.get("isa")?.startsWith("rv64")) return "riscv64";
  return null;
}

function armVendor(implementer: string | undefined): string | null {
  return implementer === undefined
    ? null
    : (armImplementers[implementer.toLowerCase()] ?? shown(implementer));
}

function shown(text: string | undefined): string | null {
  return text === undefined ? null : printable(text).value;
}

/** A revision is a name more than a number: it stays as the kernel writes it. */
function microcodeOf(text: string | undefined): string | null {
  const revision = text?.toLowerCase() ?? "";
  return /^0x[0-9a-f]{1,16}$/.test(revision) ? revision : null;
}

/** A decimal or `0x` number of at most 32 bits. */
function integer(text: string | undefined): number | null {
  if (text === undefined || !/^(0x[0-9a-fA-F]{1,8}|[0-9]{1,9})$/.test(text)) return null;
  return Number(text);
}
