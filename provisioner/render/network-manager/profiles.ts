import type { LinkSettings, Network } from "#generated/provisioner/spec/v1.ts";
import { type Link, type LinkKind, linksOf } from "../networkd/links.ts";
import { bondSection } from "./bond.ts";
import { bridgePortSection, bridgeSection } from "./bridge.ts";
import { findByName, kindOf, parentOf } from "./device.ts";
import { ipSections } from "./ip.ts";
import { profileName, profileUuid } from "./profile-name.ts";
import { isList, type KeyfileValue, type Profile, type Section, section } from "./sections.ts";
import type { Tell } from "./tell.ts";
import { tunnelHasFrames, tunnelSections, tunnelType } from "./tunnels.ts";
import { isInfiniband, tellNoFrames, wiredSection } from "./wired.ts";
import { priorityOf, wirelessOf, wirelessSections } from "./wireless.ts";

/**
 * The whole network of the spec as profiles of NetworkManager: one for each interface, and one for each
 * wireless network that an interface may join. What it has no word for is told.
 */
export function managerProfiles(network: Network, tell: Tell): readonly Profile[] {
  const links = linksOf(network);
  return links
    .flatMap((link) => profilesOf(network, links, link, tell))
    .filter((profile) => isLiteral(profile, tell))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function profilesOf(
  network: Network,
  links: readonly Link[],
  link: Link,
  tell: Tell,
): readonly Profile[] {
  const kind = kindOf(network, link);
  checkSettings(link, tell);
  const ip = addressing(network, kind, link, tell);
  if (kind === "wifis") {
    return wirelessOf(link, network.wifis?.[link.name]?.accessPoints, tell).map((wireless) => {
      const name = profileName(link.name, wireless.ssid);
      const priority = priorityOf(wireless, tell);
      const own = wirelessSections(link, wireless, tell);
      const sections = [...identity(link, name, "wifi", priority), ...own, ...ip];
      return { name, from: wireless.from, sections };
    });
  }
  const made = ownSections(network, links, kind, link, tell);
  if (made === undefined) return [];
  const name = profileName(link.name);
  const sections = [...identity(link, name, made.type), ...made.sections, ...ip];
  return [{ name, from: link.from, sections }];
}

/** What a profile is, and for which interface. */
function identity(link: Link, name: string, type: string, priority?: number): readonly Section[] {
  const { interfaceName, match, isMany } = findByName(link);
  const { ties, settings } = link;
  const [master, role] =
    ties.bond !== undefined
      ? [ties.bond, "bond"]
      : ties.bridge !== undefined
        ? [ties.bridge, "bridge"]
        : [ties.vrf, ties.vrf === undefined ? undefined : "vrf"];
  return [
    ...section("connection", [
      ["id", name],
      ["uuid", profileUuid(name)],
      ["type", type],
      ["interface-name", interfaceName],
      ["multi-connect", isMany ? multiple : undefined],
      ["autoconnect", settings.activation === undefined ? undefined : false],
      ["autoconnect-priority", priority],
      ["master", master],
      ["slave-type", role],
    ]),
    ...match,
  ];
}

/** `multiple` of `connection.multi-connect` (NMConnectionMultiConnect): for every device that fits. */
const multiple = 3;

/** What is said of a kind of interface; nothing where NetworkManager cannot make it. */
function ownSections(
  network: Network,
  links: readonly Link[],
  kind: Exclude<LinkKind, "wifis">,
  link: Link,
  tell: Tell,
): { readonly type: string; readonly sections: readonly Section[] } | undefined {
  const { name, from } = link;
  const wired = () => wiredSection(link, tell);
  switch (kind) {
    case "ethernets":
      return { type: isInfiniband(link) ? "infiniband" : "ethernet", sections: wired() };
    case "dummies":
      return { type: "dummy", sections: wired() };
    case "veths":
      return {
        type: "veth",
        sections: [...section("veth", [["peer", network.veths?.[name]?.peer]]), ...wired()],
      };
    case "bonds":
      return {
        type: "bond",
        sections: [...bondSection(network.bonds?.[name] ?? {}, links, from, tell), ...wired()],
      };
    case "bridges":
      return {
        type: "bridge",
        sections: [...bridgeSection(network.bridges?.[name] ?? {}, from, tell), ...wired()],
      };
    case "vlans": {
      const vlan = network.vlans?.[name];
      const parent = parentOf(network, links, vlan?.link);
      const sections = section("vlan", [
        ["id", vlan?.id],
        ["parent", parent],
      ]);
      return { type: "vlan", sections: [...sections, ...wired()] };
    }
    case "vrfs":
      tellNoFrames(link, ["mac", "mtu"], tell);
      return { type: "vrf", sections: section("vrf", [["table", network.vrfs?.[name]?.table]]) };
    case "tunnels": {
      const tunnel = network.tunnels?.[name];
      if (tunnel === undefined) return undefined;
      const parent = parentOf(network, links, tunnel.link);
      const sections = tunnelSections(link, tunnel, parent, tell);
      return sections === undefined ? undefined : { type: tunnelType(tunnel), sections };
    }
  }
}

/** Addresses, which the port of a bond or a bridge has none of. */
function addressing(network: Network, kind: LinkKind, link: Link, tell: Tell): readonly Section[] {
  const { settings, from, ties } = link;
  const port = bridgePortSection(link, tell);
  if (ties.bond === undefined && ties.bridge === undefined) {
    const tunnel = kind === "tunnels" ? network.tunnels?.[link.name] : undefined;
    const hasFrames = tunnel === undefined || tunnelHasFrames(tunnel);
    return [...port, ...ipSections({ settings, from, hasFrames, tell })];
  }
  for (const key of addressKeys) {
    if (isQuiet(settings[key])) continue;
    const what = ties.bond === undefined ? "bridge" : "bond";
    const message = `NetworkManager gives no addresses to a part of a ${what}`;
    tell({ path: [...from, key], message, hint: `say it of the ${what}` });
  }
  return port;
}

const addressKeys = [
  ...(["dhcp4", "dhcp6", "dhcpMetric", "dhcp4Overrides", "dhcp6Overrides"] as const),
  ...(["dhcpIdentifier", "acceptRa", "raOverrides", "linkLocal", "ipv6Privacy"] as const),
  ...(["ipv6AddressGeneration", "ipv6AddressToken", "ipv6Mtu", "addresses"] as const),
  ...(["addressOptions", "routes", "routingPolicy", "nameservers", "search"] as const),
] satisfies readonly (keyof LinkSettings)[];

function isQuiet(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return value === undefined || value === false;
}

/** What is said of every interface, and means something to networkd alone. */
function checkSettings({ settings, from }: Link, tell: Tell): void {
  const { optional, requiredState, activation, ignoreCarrier, emitLldp } = settings;
  const say = (key: keyof LinkSettings, message: string, hint?: string) =>
    tell({ path: [...from, key], message, ...(hint === undefined ? {} : { hint }) });
  if (optional === true) {
    const message =
      "NetworkManager lets a boot wait until it has tried every interface that is there";
    tell({ path: [...from, "optional"], message, level: "note" });
  }
  if (requiredState !== undefined)
    say("requiredState", "NetworkManager lets a boot wait for no state of an interface");
  if (activation === "off")
    say("activation", "NetworkManager leaves it alone, and does not keep it down");
  if (ignoreCarrier === true)
    say(
      "ignoreCarrier",
      "a profile of NetworkManager says nothing of carriers",
      "set networking.networkmanager.settings under `firstlight: options`",
    );
  if (emitLldp === true) say("emitLldp", "NetworkManager sends no LLDP");
}

/** NixOS puts variables into profiles: a dollar sign would be one, and no profile is better than another one. */
function isLiteral({ sections, from }: Profile, tell: Tell): boolean {
  const values = sections.flatMap(({ settings }) => settings.map(([, value]) => value));
  if (!values.some(holdsDollar)) return true;
  const message = "NixOS takes a dollar sign in a profile of NetworkManager for a variable";
  tell({ path: from, message, hint: "match by another name", level: "error" });
  return false;
}

function holdsDollar(value: KeyfileValue): boolean {
  if (typeof value === "string") return value.includes("$");
  return typeof value === "object" && isList(value) && value.some((each) => each.includes("$"));
}
