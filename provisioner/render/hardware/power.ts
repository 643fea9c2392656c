import type { Facts } from "#generated/provisioner/facts/facts.ts";
import { bool, ifElse, type NixExpr, ref, select } from "#provisioner/nix-language/tree.ts";
import type { CompiledProfile } from "#provisioner/profiles/profile.ts";
import { type Assignment, assign, type Concern } from "../assignment.ts";
import { computed } from "./computed.ts";

const powerProfiles = ["services", "power-profiles-daemon", "enable"];
const tlp = ["services", "tlp", "enable"];

/** What saves power: as the profile says, else as the machine is; one that a desktop brings goes before the latter. */
type Choice =
  | { readonly daemon: NonNullable<CompiledProfile["power"]>; readonly by: "profile" }
  | { readonly daemon: "power-profiles-daemon" | "tlp"; readonly by: "machine" };

/**
 * One daemon for saving power and the other one off, whatever modules of nixos-hardware ask for: both
 * would fight over the same settings, and NixOS refuses a system with the two. An owner who turns the
 * other one on has that one alone.
 */
export function renderPower(
  concern: Concern,
  facts: Facts,
  profile: CompiledProfile | null,
): readonly Assignment[] {
  const choice = chosenByProfile(profile) ?? chosenFor(concern, facts);
  if (choice === undefined) return [];
  if (choice.daemon === "none") return [off(powerProfiles), off(tlp)];
  if (choice.daemon === "power-profiles-daemon") return [unless(tlp, powerProfiles), off(tlp)];
  const isLast = choice.by === "profile";
  return [unless(powerProfiles, tlp), ...(isLast ? [off(powerProfiles)] : [])];
}

function chosenByProfile(profile: CompiledProfile | null): Choice | undefined {
  const daemon = profile?.power ?? daemonOfOptions(profile);
  return daemon === undefined ? undefined : { daemon, by: "profile" };
}

/** Further ones that NixOS has, none of which goes with the two. */
const others = [
  "services.auto-cpufreq.enable",
  "services.tuned.enable",
  "hardware.system76.power-daemon.enable",
];

/** By chassis and processor; a configuration that was there before has made its own choice. */
function chosenFor({ base, spec }: Concern, facts: Facts): Choice | undefined {
  const { chassis, cpu, features, virtualisation } = facts;
  const isCarried = chassis === "laptop" || chassis === "convertible" || chassis === "tablet";
  if (virtualisation !== "none" || !(isCarried || features.battery === true)) return undefined;
  if (base.kind === "adopted" || others.some((name) => spec.options?.[name] === true))
    return undefined;
  // AMD's processors save more under power-profiles-daemon, as their maker advises; TLP knows Intel's.
  if (cpu.vendor === "AuthenticAMD") return { daemon: "power-profiles-daemon", by: "machine" };
  return cpu.vendor === "GenuineIntel" ? { daemon: "tlp", by: "machine" } : undefined;
}

/** The same choice, where a profile says it by the options themselves. */
function daemonOfOptions(
  profile: CompiledProfile | null,
): "power-profiles-daemon" | "tlp" | undefined {
  const isOn = (option: readonly string[]) => profile?.nixos.options[option.join(".")] === true;
  if (isOn(powerProfiles)) return "power-profiles-daemon";
  return isOn(tlp) ? "tlp" : undefined;
}

function off(option: readonly string[]): Assignment {
  return assign(option, computed(bool(false)));
}

/** On, where the other one is not. */
function unless(other: readonly string[], option: readonly string[]): Assignment {
  const isOther: NixExpr = select(ref("config"), other, bool(false));
  return {
    ...assign(option, computed(ifElse(isOther, bool(false), bool(true)))),
    comment: "Never both: they fight over the same settings.",
  };
}
