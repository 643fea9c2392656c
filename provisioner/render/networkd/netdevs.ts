import type { Bond, Bridge, Network, Tunnel, Veth } from "#generated/provisioner/spec/v1.ts";
import { type Section, section } from "./sections.ts";

/** What networkd makes for the spec, by its and the kernel's names. */
export const netdevKinds = [
  ...(["bond", "bridge", "dummy", "gre", "gretap", "ip6gre", "ip6gretap", "ip6tnl"] as const),
  ...(["ipip", "sit", "veth", "vlan", "vrf", "vti", "vti6", "vxlan", "wireguard"] as const),
] as const;

/** The file that a secret lies in for networkd; `undefined` where there is none. */
export type SecretPath = (secretRef: string) => string | undefined;

/**
 * The .netdev file of an interface that is no device, by its name; `undefined` for one that is a
 * device, and `"no-secret"` for one whose key has no file.
 */
export function netdevSections(
  network: Network,
  name: string,
  secretPath: SecretPath,
): readonly Section[] | "no-secret" | undefined {
  const bond = own(network.bonds, name);
  if (bond !== undefined) return [...netdev(name, "bond"), ...bondSection(bond)];
  const bridge = own(network.bridges, name);
  if (bridge !== undefined) return [...netdev(name, "bridge"), ...bridgeSection(bridge)];
  const vlan = own(network.vlans, name);
  if (vlan !== undefined)
    return [...netdev(name, "vlan"), ...section("netdev", "VLAN", [["Id", vlan.id]])];
  if (own(network.dummies, name) !== undefined) return netdev(name, "dummy");
  const veth = own(network.veths, name);
  if (veth !== undefined) return isOther(network, name, veth.peer) ? undefined : pair(name, veth);
  const vrf = own(network.vrfs, name);
  if (vrf !== undefined)
    return [...netdev(name, "vrf"), ...section("netdev", "VRF", [["Table", vrf.table]])];
  const tunnel = own(network.tunnels, name);
  return tunnel === undefined ? undefined : tunnelSections(name, tunnel, secretPath);
}

function netdev(name: string, kind: (typeof netdevKinds)[number]): readonly Section[] {
  return section("netdev", "NetDev", [
    ["Name", name],
    ["Kind", kind],
  ]);
}

/** Whether the pair is made with its other end. */
function isOther({ veths }: Network, name: string, peer: string): boolean {
  return own(veths, peer)?.peer === name && peer < name;
}

function pair(name: string, { peer }: Veth): readonly Section[] {
  return [...netdev(name, "veth"), ...section("netdev", "Peer", [["Name", peer]])];
}

function bondSection({ parameters = {} }: Bond): readonly Section[] {
  return section("netdev", "Bond", [
    ["Mode", parameters.mode],
    ["LACPTransmitRate", parameters.lacpRate],
    ["MIIMonitorSec", parameters.miiMonitorInterval],
    ["MinLinks", parameters.minLinks],
    ["TransmitHashPolicy", parameters.transmitHashPolicy],
    ["AdSelect", parameters.adSelect],
    ["AdActorSystem", parameters.adActorSystem],
    ["AdActorSystemPriority", parameters.adActorSystemPriority],
    ["AdUserPortKey", parameters.adUserPortKey],
    ["AllSlavesActive", parameters.allMembersActive],
    ["ARPIntervalSec", parameters.arpInterval],
    ["ARPIPTargets", parameters.arpIpTargets?.join(" ")],
    ["ARPValidate", parameters.arpValidate],
    ["ARPAllTargets", parameters.arpAllTargets],
    ["UpDelaySec", parameters.upDelay],
    ["DownDelaySec", parameters.downDelay],
    ["FailOverMACPolicy", parameters.failOverMacPolicy],
    ["GratuitousARP", parameters.gratuitousArp],
    ["PacketsPerSlave", parameters.packetsPerMember],
    ["PrimaryReselectPolicy", parameters.primaryReselectPolicy],
    ["ResendIGMP", parameters.resendIgmp],
    ["LearnPacketIntervalSec", parameters.learnPacketInterval],
    ["DynamicTransmitLoadBalancing", parameters.dynamicTransmitLoadBalancing],
  ]);
}

function bridgeSection({ parameters = {} }: Bridge): readonly Section[] {
  return section("netdev", "Bridge", [
    ["STP", parameters.stp],
    ["Priority", parameters.priority],
    ["AgeingTimeSec", parameters.ageingSeconds],
    ["ForwardDelaySec", parameters.forwardDelaySeconds],
    ["HelloTimeSec", parameters.helloSeconds],
    ["MaxAgeSec", parameters.maxAgeSeconds],
    ["VLANFiltering", parameters.vlanFiltering],
  ]);
}

function tunnelSections(
  name: string,
  tunnel: Tunnel,
  secretPath: SecretPath,
): readonly Section[] | "no-secret" {
  const { mode, local, remote, ttl } = tunnel;
  if (mode === "wireguard") return wireguardSections(name, tunnel, secretPath);
  if (mode === "vxlan") {
    return [
      ...netdev(name, "vxlan"),
      ...section("netdev", "VXLAN", [
        ["VNI", tunnel.id],
        ["Independent", tunnel.link === undefined ? true : undefined],
        ["Local", local],
        [isGroup(remote) ? "Group" : "Remote", remote],
        ["TTL", ttl],
        ["DestinationPort", tunnel.port],
        ["MacLearning", tunnel.macLearning],
      ]),
    ];
  }
  const isIp6 = mode === "ipip6" || mode === "ip6ip6";
  return [
    ...netdev(name, isIp6 ? "ip6tnl" : mode),
    ...section("netdev", "Tunnel", [
      ["Independent", true],
      ["Mode", isIp6 ? mode : undefined],
      ["Local", local],
      ["Remote", remote],
      ["TTL", ttl],
      ["InputKey", tunnel.inputKey],
      ["OutputKey", tunnel.outputKey],
    ]),
  ];
}

/** Whether an address is that of a group (multicast), which has a key of its own. */
export function isGroup(address: string | undefined): boolean {
  return /^(ff|2(2[4-9]|3[0-9])\.)/i.test(address ?? "");
}

function wireguardSections(
  name: string,
  { privateKey, listenPort, mark, peers = [] }: Tunnel,
  secretPath: SecretPath,
): readonly Section[] | "no-secret" {
  const refs = [privateKey, ...peers.map(({ presharedKey }) => presharedKey)];
  const file = (secret: { readonly secretRef: string } | undefined) =>
    secret === undefined ? undefined : secretPath(secret.secretRef);
  if (refs.some((secret) => secret !== undefined && file(secret) === undefined)) return "no-secret";
  return [
    ...netdev(name, "wireguard"),
    ...section("netdev", "WireGuard", [
      ["PrivateKeyFile", file(privateKey)],
      ["ListenPort", listenPort],
      ["FirewallMark", mark],
    ]),
    ...peers.flatMap((peer) =>
      section("netdev", "WireGuardPeer", [
        ["PublicKey", peer.publicKey],
        ["PresharedKeyFile", file(peer.presharedKey)],
        ["Endpoint", peer.endpoint],
        ["AllowedIPs", peer.allowedIps],
        ["PersistentKeepalive", peer.keepalive],
      ]),
    ),
  ];
}

function own<T>(links: { readonly [name: string]: T } | undefined, name: string): T | undefined {
  return links !== undefined && Object.hasOwn(links, name) ? links[name] : undefined;
}
