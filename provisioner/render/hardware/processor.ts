import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { bool, ref, str } from "#provisioner/nix-language/tree.ts";
import type { OptionValues } from "#provisioner/profiles/profile.ts";
import { type Assignment, assign } from "../assignment.ts";
import { fallback } from "../platform-options.ts";

/** The platform of nixpkgs. */
export function renderArchitecture(facts: Facts): readonly Assignment[] {
  const { architecture } = facts.cpu;
  const known = architecture === "x86_64" || architecture === "aarch64";
  return known ? [assign(["nixpkgs", "hostPlatform"], fallback(str(`${architecture}-linux`)))] : [];
}

const microcodeOf: Readonly<Record<string, string>> = {
  GenuineIntel: "intel",
  AuthenticAMD: "amd",
};

/** Microcode of its own vendor, and firmware, on bare metal. */
export function renderMicrocode({ cpu, virtualisation }: Facts): readonly Assignment[] {
  if (cpu.architecture !== "x86_64" || virtualisation !== "none") return [];
  const vendor = microcodeOf[cpu.vendor ?? ""];
  const firmware = assign(["hardware", "enableRedistributableFirmware"], fallback(bool(true)));
  if (vendor === undefined) return [firmware];
  // As NixOS's own tools and nixos-hardware say it: another default beside theirs would be a conflict.
  const follows = fallback(ref("config", "hardware", "enableRedistributableFirmware"));
  return [assign(["hardware", "cpu", vendor, "updateMicrocode"], follows), firmware];
}

/** Options of a profile without microcode that this processor does not take: of another vendor, or in a guest. */
export function withoutForeignMicrocode(
  options: OptionValues,
  { cpu, virtualisation }: Facts,
): OptionValues {
  const isGuest = virtualisation !== null && virtualisation !== "none";
  if (!isGuest && cpu.vendor === null) return options;
  const own = isGuest ? undefined : microcodeOf[cpu.vendor ?? ""];
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => {
      const [, vendor] = /^hardware\.cpu\.(amd|intel)\.updateMicrocode$/.exec(name) ?? [];
      return vendor === undefined || vendor === own || value !== true;
    }),
  );
}
