import type { Tunnel, WireguardPeer } from "#generated/provisioner/spec/v1.ts";
import type { Link } from "../networkd/links.ts";
import { familyOf } from "./method.ts";
import { type Section, section } from "./sections.ts";
import type { Tell } from "./tell.ts";
import { tellNoFrames, wiredSection } from "./wired.ts";

/** `ip-tunnel.mode` by its numbers (NMIPTunnelMode), and the family of both ends. */
const tunnelModes = {
  ipip: [1, 4],
  gre: [2, 4],
  sit: [3, 4],
  vti: [5, 4],
  ip6ip6: [6, 6],
  ipip6: [7, 6],
  ip6gre: [8, 6],
  vti6: [9, 6],
  gretap: [10, 4],
  ip6gretap: [11, 6],
} as const;

/** What a tunnel is to NetworkManager. */
export function tunnelType({ mode }: Tunnel): "wireguard" | "vxlan" | "ip-tunnel" {
  return mode === "wireguard" || mode === "vxlan" ? mode : "ip-tunnel";
}

/** Whether frames go through a tunnel, and not packets alone. */
export function tunnelHasFrames({ mode }: Tunnel): boolean {
  return mode === "vxlan" || mode === "gretap" || mode === "ip6gretap";
}

/** What is said of a tunnel; nothing where NetworkManager cannot make it. */
export function tunnelSections(
  link: Link,
  tunnel: Tunnel,
  parent: string | undefined,
  tell: Tell,
): readonly Section[] | undefined {
  const { mode } = tunnel;
  if (mode === "wireguard") return wireguardSections(link, tunnel, tell);
  if (mode === "vxlan") {
    return [
      ...section("vxlan", [
        ["id", tunnel.id],
        ["parent", parent],
        ["local", tunnel.local],
        ["remote", tunnel.remote],
        ["destination-port", tunnel.port],
        ["ttl", tunnel.ttl],
        ["learning", tunnel.macLearning],
      ]),
      ...wiredSection(link, tell),
    ];
  }
  return ipTunnelSections(link, tunnel, tunnelModes[mode], tell);
}

function ipTunnelSections(
  link: Link,
  tunnel: Tunnel,
  [mode, family]: readonly [number, 4 | 6],
  tell: Tell,
): readonly Section[] | undefined {
  const { local, remote } = tunnel;
  const isWhole = remote !== undefined && familyOf(remote) === family;
  if (!isWhole || (local !== undefined && familyOf(local) !== family)) {
    const message = `NetworkManager makes no tunnel of the mode ${tunnel.mode} without \`remote\`, an address of IPv${family} as \`local\` is`;
    tell({ path: link.from, message: `${message}; it is left out` });
    return undefined;
  }
  tellNoFrames(link, ["mac"], tell);
  return section("ip-tunnel", [
    ["mode", mode],
    ["local", local],
    ["remote", remote],
    ["ttl", tunnel.ttl],
    ["input-key", keyOf(link, tunnel, "inputKey", tell)],
    ["output-key", keyOf(link, tunnel, "outputKey", tell)],
    ["mtu", link.settings.mtu],
  ]);
}

/** As a number; older releases of NetworkManager know keys of GRE alone. */
function keyOf(
  { from }: Link,
  tunnel: Tunnel,
  key: "inputKey" | "outputKey",
  tell: Tell,
): string | undefined {
  const text = tunnel[key];
  if (text === undefined) return undefined;
  if (!tunnel.mode.includes("gre")) {
    tell({ path: [...from, key], message: "NetworkManager gives keys to tunnels of GRE alone" });
    return undefined;
  }
  if (!text.includes(".")) return text;
  return String(text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0));
}

/** NetworkManager would make routes to the networks of its peers; what the spec says of routes counts. */
function wireguardSections(link: Link, tunnel: Tunnel, tell: Tell): readonly Section[] {
  tellNoFrames(link, ["mac"], tell);
  return [
    ...section("wireguard", [
      ["private-key", tunnel.privateKey],
      ["listen-port", tunnel.listenPort],
      ["fwmark", tunnel.mark],
      ["peer-routes", false],
      ["ip4-auto-default-route", 0],
      ["ip6-auto-default-route", 0],
      ["mtu", link.settings.mtu],
    ]),
    ...(tunnel.peers ?? []).map((peer) => peerSection(peer)),
  ];
}

/** A peer of which nothing is said but its key is a section all the same. */
function peerSection(peer: WireguardPeer): Section {
  const name = `.${peer.publicKey}`;
  const [made] = section(
    "wireguard-peer",
    [
      ["preshared-key", peer.presharedKey],
      ["preshared-key-flags", peer.presharedKey === undefined ? undefined : 0],
      ["endpoint", peer.endpoint],
      ["allowed-ips", peer.allowedIps],
      ["persistent-keepalive", peer.keepalive],
    ],
    name,
  );
  return made ?? { name: `wireguard-peer${name}`, settings: [] };
}
