import type { SecretRef } from "#core/secret.ts";

/**
 * What we write into a profile of NetworkManager: its sections with the keys of them that we use
 * (nm-settings-keyfile(5)). Of `address`, `route` and `routing-rule` there are several, each with its
 * number; the section of a peer of WireGuard has its key in its name.
 */
export const keyfileSections = {
  connection: [
    ...(["id", "uuid", "type", "interface-name", "multi-connect"] as const),
    ...(["autoconnect", "autoconnect-priority", "master", "slave-type"] as const),
  ],
  match: ["interface-name", "driver"],
  ethernet: ["mac-address", "cloned-mac-address", "mtu"],
  infiniband: ["mac-address", "transport-mode", "mtu"],
  wifi: ["ssid", "mode", "hidden", "bssid", "mac-address", "cloned-mac-address", "mtu"],
  "wifi-security": ["key-mgmt", "psk"],
  bond: [
    ...(["mode", "lacp_rate", "miimon", "min_links", "xmit_hash_policy", "ad_select"] as const),
    ...(["ad_actor_system", "ad_actor_sys_prio", "ad_user_port_key"] as const),
    ...(["all_slaves_active", "arp_interval", "arp_ip_target", "arp_validate"] as const),
    ...(["arp_all_targets", "updelay", "downdelay", "fail_over_mac", "num_grat_arp"] as const),
    ...(["packets_per_slave", "primary", "primary_reselect", "resend_igmp"] as const),
    ...(["lp_interval", "tlb_dynamic_lb"] as const),
  ],
  bridge: [
    ...(["stp", "priority", "ageing-time", "forward-delay", "hello-time", "max-age"] as const),
    "vlan-filtering",
  ],
  "bridge-port": ["path-cost", "priority", "hairpin-mode"],
  vlan: ["id", "parent"],
  veth: ["peer"],
  vrf: ["table"],
  vxlan: ["id", "parent", "local", "remote", "destination-port", "ttl", "learning"],
  "ip-tunnel": ["mode", "local", "remote", "ttl", "input-key", "output-key", "mtu"],
  wireguard: [
    ...(["private-key", "listen-port", "fwmark", "peer-routes", "mtu"] as const),
    ...(["ip4-auto-default-route", "ip6-auto-default-route"] as const),
  ],
  "wireguard-peer": [
    ...(["preshared-key", "preshared-key-flags", "endpoint", "allowed-ips"] as const),
    "persistent-keepalive",
  ],
  hostname: ["from-dhcp"],
  ipv4: [
    ...([
      "method",
      "address",
      "route",
      "routing-rule",
      "dns",
      "dns-search",
      "route-metric",
    ] as const),
    ...(["ignore-auto-dns", "ignore-auto-routes", "link-local"] as const),
    ...(["dhcp-client-id", "dhcp-send-hostname", "dhcp-hostname"] as const),
  ],
  ipv6: [
    ...([
      "method",
      "address",
      "route",
      "routing-rule",
      "dns",
      "dns-search",
      "route-metric",
    ] as const),
    ...(["ignore-auto-dns", "ignore-auto-routes", "route-table"] as const),
    ...(["dhcp-send-hostname", "dhcp-hostname", "ip6-privacy", "addr-gen-mode"] as const),
    ...(["token", "mtu"] as const),
  ],
} as const;

type Sections = typeof keyfileSections;

/** The sections that a profile may have. */
export type SectionName = keyof Sections;

type Numbered = `${"address" | "route" | "routing-rule"}${number}` | `route${number}_options`;

/** The keys of a section. */
export type SectionKey<S extends SectionName> =
  | Sections[S][number]
  | (S extends "ipv4" | "ipv6" ? Numbered : never);

/** A list is written with a semicolon after each item; a secret stands in a file of its own. */
export type KeyfileValue = string | number | boolean | readonly string[] | SecretRef;

/** The settings of a section; those without a value are not written. */
export type Settings<S extends SectionName> = readonly (readonly [
  SectionKey<S>,
  KeyfileValue | undefined,
])[];

/** One section of a profile: its name and its settings in order. */
export interface Section {
  readonly name: string;
  readonly settings: readonly (readonly [key: string, value: KeyfileValue])[];
}

/** A profile of NetworkManager. */
export interface Profile {
  /** File name without its ending, and the name of NixOS's option: `firstlight-lan`. */
  readonly name: string;
  readonly sections: readonly Section[];
  /** Path in the spec. */
  readonly from: readonly string[];
}

/** A section of those settings that have a value; no section where none has. */
export function section<S extends SectionName>(
  name: S,
  settings: Settings<S>,
  more = "",
): readonly Section[] {
  const said = settings.flatMap(([key, value]) =>
    value === undefined || (isList(value) && value.length === 0)
      ? []
      : [[String(key), value] as const],
  );
  return said.length === 0 ? [] : [{ name: `${name}${more}`, settings: said }];
}

/** Whether a value is written as a list. */
export function isList(value: KeyfileValue): value is readonly string[] {
  return Array.isArray(value);
}
