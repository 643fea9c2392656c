import type { Bond } from "#generated/provisioner/spec/v1.ts";
import { type Link, linkNamed } from "../networkd/links.ts";
import { kernelName } from "./device.ts";
import { type Section, type SectionKey, section } from "./sections.ts";
import type { Tell } from "./tell.ts";

type Parameters = NonNullable<Bond["parameters"]>;
type Key = keyof Parameters;
type Option = readonly [Key, SectionKey<"bond">, string | number | undefined];

const balancing = ["balance-tlb", "balance-alb"];
const withPrimary = ["active-backup", ...balancing];
const withArp = ["balance-rr", "active-backup", "balance-xor", "broadcast"];

/** Modes that know a parameter; NetworkManager takes others away from it (nm-setting-bond.c). */
const modesOf: Readonly<Partial<Record<Key, readonly string[]>>> = {
  lacpRate: ["802.3ad"],
  adActorSystem: ["802.3ad"],
  adActorSystemPriority: ["802.3ad"],
  adUserPortKey: ["802.3ad"],
  arpInterval: withArp,
  arpIpTargets: withArp,
  arpValidate: withArp,
  packetsPerMember: ["balance-rr"],
  primary: withPrimary,
  dynamicTransmitLoadBalancing: balancing,
};

/** Largest number of links that NetworkManager counts. */
const mostLinks = 2_147_483_647;

/** What is said of a bond, by the kernel's names and in its units. */
export function bondSection(
  { parameters = {} }: Bond,
  links: readonly Link[],
  from: readonly string[],
  tell: Tell,
): readonly Section[] {
  const mode = parameters.mode ?? "balance-rr";
  const refuse = (key: Key, message: string) =>
    tell({ path: [...from, "parameters", key], message });
  const options = optionsOf(parameters, primaryOf(parameters, links, refuse)).filter(
    ([key, , value]) => {
      if (value === undefined) return false;
      const why = objection(parameters, key, mode);
      if (why !== undefined) refuse(key, why);
      return why === undefined;
    },
  );
  return section("bond", [
    ["mode", mode],
    ...options.map(([, key, value]) => [key, value] as const),
  ]);
}

function optionsOf(of: Parameters, primary: string | undefined): readonly Option[] {
  return [
    ["lacpRate", "lacp_rate", of.lacpRate],
    ["miiMonitorInterval", "miimon", milliseconds(of.miiMonitorInterval)],
    ["minLinks", "min_links", of.minLinks],
    ["transmitHashPolicy", "xmit_hash_policy", of.transmitHashPolicy],
    ["adSelect", "ad_select", of.adSelect],
    ["adActorSystem", "ad_actor_system", of.adActorSystem],
    ["adActorSystemPriority", "ad_actor_sys_prio", of.adActorSystemPriority],
    ["adUserPortKey", "ad_user_port_key", of.adUserPortKey],
    ["allMembersActive", "all_slaves_active", bit(of.allMembersActive)],
    ["arpInterval", "arp_interval", milliseconds(of.arpInterval)],
    ["arpIpTargets", "arp_ip_target", of.arpIpTargets?.join(",") || undefined],
    ["arpValidate", "arp_validate", of.arpValidate],
    ["arpAllTargets", "arp_all_targets", of.arpAllTargets],
    ["upDelay", "updelay", milliseconds(of.upDelay)],
    ["downDelay", "downdelay", milliseconds(of.downDelay)],
    ["failOverMacPolicy", "fail_over_mac", of.failOverMacPolicy],
    ["gratuitousArp", "num_grat_arp", of.gratuitousArp],
    ["packetsPerMember", "packets_per_slave", of.packetsPerMember],
    ["primary", "primary", primary],
    ["primaryReselectPolicy", "primary_reselect", of.primaryReselectPolicy],
    ["resendIgmp", "resend_igmp", of.resendIgmp],
    ["learnPacketInterval", "lp_interval", seconds(of.learnPacketInterval)],
    ["dynamicTransmitLoadBalancing", "tlb_dynamic_lb", bit(of.dynamicTransmitLoadBalancing)],
  ];
}

/** Why NetworkManager takes a parameter not, or not beside the others. */
function objection(of: Parameters, key: Key, mode: string): string | undefined {
  const modes = modesOf[key];
  if (modes?.includes(mode) === false)
    return `NetworkManager takes it in the modes ${modes.join(", ")}, and not in ${mode}`;
  if (key === "lacpRate" || key === "primary") return undefined;
  const asksByArp = (milliseconds(of.arpInterval) ?? 0) > 0;
  const looksAtCarrier = (milliseconds(of.miiMonitorInterval) ?? (asksByArp ? 0 : 1)) > 0;
  if (key === "arpInterval" && asksByArp && (of.arpIpTargets ?? []).length === 0)
    return "NetworkManager asks nobody by ARP without `arpIpTargets`";
  if (key === "arpIpTargets" && !asksByArp)
    return "NetworkManager asks nobody by ARP without `arpInterval`";
  if ((key === "upDelay" || key === "downDelay") && !looksAtCarrier)
    return "NetworkManager waits for carriers where it looks at them: `miiMonitorInterval`";
  if (key === "minLinks" && (of.minLinks ?? 0) > mostLinks)
    return `NetworkManager counts at most ${mostLinks} links`;
  return undefined;
}

/** By the kernel's name, which is not known of a device that is found by its address. */
function primaryOf(
  { primary }: Parameters,
  links: readonly Link[],
  refuse: (key: Key, message: string) => void,
): string | undefined {
  if (primary === undefined) return undefined;
  const link = linkNamed(links, primary);
  const name = link === undefined ? primary : kernelName(link);
  if (name === undefined)
    refuse("primary", "NetworkManager knows it by its name only, which is not said here");
  return name;
}

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function milliseconds(time: string | undefined): number | undefined {
  const [, count, unit = "ms"] = /^([0-9]+)(ms|s|m|h|d)$/.exec(time ?? "") ?? [];
  return count === undefined ? undefined : Number(count) * unitMs[unit as keyof typeof unitMs];
}

function seconds(time: string | undefined): number | undefined {
  const ms = milliseconds(time);
  return ms === undefined ? undefined : Math.max(1, Math.round(ms / 1000));
}

function bit(flag: boolean | undefined): number | undefined {
  return flag === undefined ? undefined : flag ? 1 : 0;
}
