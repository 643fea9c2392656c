import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { bool } from "#provisioner/nix-language/tree.ts";
import type { CompiledProfile } from "#provisioner/profiles/profile.ts";
import { type Assignment, assign } from "../assignment.ts";
import { computed } from "./computed.ts";

interface Agent {
  readonly option: string;
  /** Processors that it is made for; absent for any. */
  readonly architecture?: "x86_64";
}

/** What a hypervisor asks its guests through. Clouds that have none of these bring their own, by their profiles. */
const agents: Readonly<Partial<Record<NonNullable<Facts["virtualisation"]>, Agent>>> = {
  kvm: { option: "services.qemuGuest.enable" },
  qemu: { option: "services.qemuGuest.enable" },
  bochs: { option: "services.qemuGuest.enable" },
  vmware: { option: "virtualisation.vmware.guest.enable" },
  oracle: { option: "virtualisation.virtualbox.guest.enable", architecture: "x86_64" },
  microsoft: { option: "virtualisation.hypervGuest.enable" },
};

/**
 * The agent of the machine's own hypervisor. A KVM that shows the signs of Hyper-V has none of Hyper-V: its
 * SMBIOS names somebody else. What the profile says of any agent, whichever way, goes before.
 */
export function renderGuest(facts: Facts, profile: CompiledProfile | null): readonly Assignment[] {
  const agent = facts.virtualisation === null ? undefined : agents[facts.virtualisation];
  if (agent === undefined || (facts.virtualisation === "microsoft" && !isOfMicrosoft(facts)))
    return [];
  const { option, architecture = facts.cpu.architecture } = agent;
  if (facts.cpu.architecture !== architecture) return [];
  const isSaid = profile?.nixos.options[option] !== undefined || hasAgent(profile);
  return isSaid ? [] : [assign(option.split("."), computed(bool(true)))];
}

function isOfMicrosoft({ dmi }: Facts): boolean {
  return dmi?.sysVendor === null || dmi?.sysVendor === undefined
    ? true
    : dmi.sysVendor === "Microsoft Corporation";
}

/** Whether the profile turns on an agent, or stands on a module of nixpkgs for its cloud, which brings its own. */
function hasAgent(profile: CompiledProfile | null): boolean {
  if (profile === null) return false;
  const { options, platform } = profile.nixos;
  return (
    Object.values(agents).some(({ option }) => options[option] === true) ||
    (platform?.modules ?? []).some((module) => module.startsWith("virtualisation/"))
  );
}
