import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { bool, ref, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign } from "../assignment.ts";
import { fallback } from "../platform-options.ts";

/** The platform of nixpkgs. */
export function renderArchitecture(facts: Facts): readonly Assignment[] {
  const { architecture } = facts.cpu;
  const known = architecture === "x86_64" || architecture === "aarch64";
  return known ? [assign(["nixpkgs", "hostPlatform"], fallback(str(`${architecture}-linux`)))] : [];
}

/** Microcode of its own vendor, and firmware, on bare metal. */
export function renderMicrocode({ cpu, virtualisation }: Facts): readonly Assignment[] {
  if (cpu.architecture !== "x86_64" || virtualisation !== "none") return [];
  const vendor = { GenuineIntel: "intel", AuthenticAMD: "amd" }[cpu.vendor ?? ""];
  const firmware = assign(["hardware", "enableRedistributableFirmware"], fallback(bool(true)));
  if (vendor === undefined) return [firmware];
  // As NixOS's own tools and nixos-hardware say it: another default beside theirs would be a conflict.
  const follows = fallback(ref("config", "hardware", "enableRedistributableFirmware"));
  return [assign(["hardware", "cpu", vendor, "updateMicrocode"], follows), firmware];
}
