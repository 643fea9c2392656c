/** The kinds of files that systemd reads of a network. */
export type UnitKind = "netdev" | "network" | "link";

/**
 * What we write into each kind of file: systemd's sections with the keys of them that we use
 * (systemd.network(5), systemd.netdev(5), systemd.link(5)), and NixOS's option for each. A section
 * that may come again is a list there.
 */
export const networkdSections = {
  network: {
    Match: {
      option: "matchConfig",
      keys: ["MACAddress", "PermanentMACAddress", "Driver", "Name", "Kind"],
    },
    Network: {
      option: "networkConfig",
      keys: [
        ...["DHCP", "IPv6AcceptRA", "LinkLocalAddressing", "IPv6PrivacyExtensions"],
        ...["IPv6LinkLocalAddressGenerationMode", "IPv6MTUBytes", "KeepConfiguration"],
        ...["ConfigureWithoutCarrier", "EmitLLDP", "Bond", "PrimarySlave", "Bridge", "VRF"],
        ...["VLAN", "VXLAN", "Address", "DNS", "Domains"],
      ],
    },
    Link: {
      option: "linkConfig",
      keys: ["MACAddress", "MTUBytes", "RequiredForOnline", "ActivationPolicy"],
    },
    Address: {
      option: "addresses",
      keys: ["Address", "Peer", "Broadcast", "Label", "PreferredLifetime"],
      repeats: true,
    },
    DHCPv4: {
      option: "dhcpV4Config",
      keys: [
        ...["ClientIdentifier", "UseDNS", "UseNTP", "UseHostname", "UseMTU", "UseRoutes"],
        ...["UseDomains", "SendHostname", "Hostname", "RouteMetric"],
      ],
    },
    DHCPv6: {
      option: "dhcpV6Config",
      keys: ["UseDNS", "UseNTP", "UseHostname", "UseDomains", "SendHostname", "Hostname"],
    },
    IPv6AcceptRA: {
      option: "ipv6AcceptRAConfig",
      keys: [
        ...["Token", "UseDNS", "UseDomains", "UseMTU", "UseGateway", "UseRoutePrefix"],
        ...["RouteTable", "RouteMetric"],
      ],
    },
    Bridge: {
      option: "bridgeConfig",
      keys: ["Cost", "Priority", "HairPin", "Learning", "NeighborSuppression"],
    },
    IPoIB: { option: "ipoIBConfig", keys: ["Mode"] },
    Route: {
      option: "routes",
      keys: [
        ...["Destination", "Gateway", "Metric", "GatewayOnLink", "PreferredSource", "Type"],
        ...["Scope", "Table", "MTUBytes", "TCPAdvertisedMaximumSegmentSize"],
        ...["InitialCongestionWindow", "InitialAdvertisedReceiveWindow"],
      ],
      repeats: true,
    },
    RoutingPolicyRule: {
      option: "routingPolicyRules",
      keys: ["From", "To", "Family", "Table", "Priority", "FirewallMark", "TypeOfService"],
      repeats: true,
    },
  },
  netdev: {
    NetDev: { option: "netdevConfig", keys: ["Name", "Kind"] },
    Bond: {
      option: "bondConfig",
      keys: [
        ...["Mode", "LACPTransmitRate", "MIIMonitorSec", "MinLinks", "TransmitHashPolicy"],
        ...["AdSelect", "AdActorSystem", "AdActorSystemPriority", "AdUserPortKey"],
        ...["AllSlavesActive", "ARPIntervalSec", "ARPIPTargets", "ARPValidate"],
        ...["ARPAllTargets", "UpDelaySec", "DownDelaySec", "FailOverMACPolicy"],
        ...["GratuitousARP", "PacketsPerSlave", "PrimaryReselectPolicy", "ResendIGMP"],
        ...["LearnPacketIntervalSec", "DynamicTransmitLoadBalancing"],
      ],
    },
    Bridge: {
      option: "bridgeConfig",
      keys: [
        ...["STP", "Priority", "AgeingTimeSec", "ForwardDelaySec", "HelloTimeSec"],
        ...["MaxAgeSec", "VLANFiltering"],
      ],
    },
    Peer: { option: "peerConfig", keys: ["Name"] },
    VLAN: { option: "vlanConfig", keys: ["Id"] },
    VRF: { option: "vrfConfig", keys: ["Table"] },
    Tunnel: {
      option: "tunnelConfig",
      keys: ["Independent", "Mode", "Local", "Remote", "TTL", "InputKey", "OutputKey"],
    },
    VXLAN: {
      option: "vxlanConfig",
      keys: [
        ...["VNI", "Independent", "Local", "Remote", "Group", "TTL", "DestinationPort"],
        "MacLearning",
      ],
    },
    WireGuard: {
      option: "wireguardConfig",
      keys: ["PrivateKeyFile", "ListenPort", "FirewallMark"],
    },
    WireGuardPeer: {
      option: "wireguardPeers",
      keys: ["PublicKey", "PresharedKeyFile", "Endpoint", "AllowedIPs", "PersistentKeepalive"],
      repeats: true,
    },
  },
  link: {
    Match: { option: "matchConfig", keys: ["MACAddress", "Driver", "OriginalName", "Kind"] },
    Link: {
      option: "linkConfig",
      keys: [
        ...["Name", "NamePolicy", "MACAddressPolicy", "WakeOnLan"],
        ...["ReceiveChecksumOffload", "TransmitChecksumOffload"],
        ...["TCPSegmentationOffload", "TCP6SegmentationOffload"],
        ...["GenericSegmentationOffload", "GenericReceiveOffload", "LargeReceiveOffload"],
      ],
    },
  },
} as const;

type Sections = typeof networkdSections;

/** The sections that a kind of file has. */
export type SectionName<K extends UnitKind> = keyof Sections[K] & string;

/** The keys of a section. */
export type SectionKey<K extends UnitKind, S extends SectionName<K>> = Sections[K][S] extends {
  readonly keys: readonly (infer Key)[];
}
  ? Key
  : never;

/** A list is a key that comes again. */
export type SettingValue = string | number | boolean | readonly string[];

/** One section of a file: its name and its settings in order. */
export interface Section {
  readonly name: string;
  readonly settings: readonly (readonly [key: string, value: SettingValue])[];
}

/** A file of systemd-networkd or of udev. */
export interface NetworkdUnit {
  readonly kind: UnitKind;
  /** File name without its ending: `10-lan`. */
  readonly name: string;
  readonly sections: readonly Section[];
  /** Path in the spec. */
  readonly from: readonly string[];
}

/** A section of those settings that have a value; no section where none has. */
export function section<K extends UnitKind, S extends SectionName<K>>(
  _kind: K,
  name: S,
  settings: readonly (readonly [SectionKey<K, S>, SettingValue | undefined])[],
): readonly Section[] {
  const said = settings.flatMap(([key, value]) =>
    value === undefined || (isList(value) && value.length === 0)
      ? []
      : [[String(key), value] as const],
  );
  return said.length === 0 ? [] : [{ name, settings: said }];
}

/** The option of NixOS that a section is written to, and whether it is a list there. */
export function optionOf(
  kind: UnitKind,
  name: string,
): { readonly option: string; readonly repeats: boolean } {
  const all: Readonly<Record<string, { readonly option: string; readonly repeats?: true }>> =
    networkdSections[kind];
  const found = all[name];
  if (found === undefined) throw new Error(`a .${kind} file has no section ${name}`);
  return { option: found.option, repeats: found.repeats ?? false };
}

function isList(value: SettingValue): value is readonly string[] {
  return Array.isArray(value);
}
