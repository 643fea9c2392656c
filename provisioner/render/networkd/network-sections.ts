import type { DhcpOverrides, LinkSettings } from "#generated/provisioner/spec/v1.ts";
import type { Link } from "./links.ts";
import { networkMatch } from "./match.ts";
import { type Section, section } from "./sections.ts";

/** The .network file of an interface: how it is found, and everything of its network. */
export function networkSections(link: Link): readonly Section[] {
  const { settings, device } = link;
  return [
    ...networkMatch(link),
    ...networkSection(link),
    ...linkSection(settings),
    ...addressSections(settings),
    ...dhcp4Section(settings),
    ...dhcp6Section(settings),
    ...routerSection(settings),
    ...bridgeSection(link),
    ...section("network", "IPoIB", [["Mode", device?.infinibandMode]]),
    ...routeSections(settings),
    ...ruleSections(settings),
  ];
}

function networkSection({ settings, ties }: Link): readonly Section[] {
  const { dhcp4 = false, dhcp6 = false, addresses = [], search = [], linkLocal } = settings;
  const plain = addresses.filter((address) => optionsOf(settings, address) === undefined);
  return section("network", "Network", [
    ["DHCP", dhcp4 && dhcp6 ? "yes" : dhcp4 ? "ipv4" : dhcp6 ? "ipv6" : "no"],
    ["IPv6AcceptRA", settings.acceptRa],
    ["LinkLocalAddressing", linkLocal === undefined ? undefined : families(linkLocal)],
    ["IPv6PrivacyExtensions", settings.ipv6Privacy],
    ["IPv6LinkLocalAddressGenerationMode", settings.ipv6AddressGeneration],
    ["IPv6MTUBytes", bytes(settings.ipv6Mtu)],
    ["KeepConfiguration", settings.critical],
    ["ConfigureWithoutCarrier", settings.ignoreCarrier],
    ["EmitLLDP", settings.emitLldp],
    ["Bond", ties.bond],
    ["PrimarySlave", ties.isPrimary],
    ["Bridge", ties.bridge],
    ["VRF", ties.vrf],
    ["VLAN", ties.vlans],
    ["VXLAN", ties.vxlans],
    ["Address", plain],
    ["DNS", settings.nameservers],
    ["Domains", search.length === 0 ? undefined : search.join(" ")],
  ]);
}

function families(linkLocal: readonly ("ipv4" | "ipv6")[]): string {
  const [first] = linkLocal;
  if (linkLocal.includes("ipv4") && linkLocal.includes("ipv6")) return "yes";
  return first ?? "no";
}

function linkSection(settings: LinkSettings): readonly Section[] {
  const { mac, mtu, optional, requiredState, activation } = settings;
  return section("network", "Link", [
    ["MACAddress", mac],
    ["MTUBytes", bytes(mtu)],
    ["RequiredForOnline", optional === true ? false : (requiredState ?? onlyTrue(optional))],
    ["ActivationPolicy", activation === "off" ? "always-down" : activation],
  ]);
}

/** NixOS takes a number of bytes as text, which may have a unit. */
function bytes(number: number | undefined): string | undefined {
  return number === undefined ? undefined : String(number);
}

function onlyTrue(optional: boolean | undefined): true | undefined {
  return optional === undefined ? undefined : true;
}

function addressSections(settings: LinkSettings): readonly Section[] {
  return (settings.addresses ?? []).flatMap((address) => {
    const options = optionsOf(settings, address);
    if (options === undefined) return [];
    return section("network", "Address", [
      ["Address", address],
      ["Peer", options.peer],
      ["Broadcast", options.broadcast],
      ["Label", options.label],
      ["PreferredLifetime", options.lifetime],
    ]);
  });
}

function optionsOf({ addressOptions = {} }: LinkSettings, address: string) {
  return Object.hasOwn(addressOptions, address) ? addressOptions[address] : undefined;
}

function dhcp4Section(settings: LinkSettings): readonly Section[] {
  const { dhcp4Overrides: overrides = {}, dhcp4 = false } = settings;
  const metric = overrides.routeMetric ?? (dhcp4 ? settings.dhcpMetric : undefined);
  return section("network", "DHCPv4", [
    ["ClientIdentifier", settings.dhcpIdentifier],
    ["UseDNS", overrides.useDns],
    ["UseNTP", overrides.useNtp],
    ["UseHostname", overrides.useHostname],
    ["UseMTU", overrides.useMtu],
    ["UseRoutes", overrides.useRoutes],
    ["UseDomains", domains(overrides.useDomains)],
    ["SendHostname", overrides.sendHostname],
    ["Hostname", overrides.hostname],
    ["RouteMetric", metric],
  ]);
}

function dhcp6Section({ dhcp6Overrides: overrides = {} }: LinkSettings): readonly Section[] {
  return section("network", "DHCPv6", [
    ["UseDNS", overrides.useDns],
    ["UseNTP", overrides.useNtp],
    ["UseHostname", overrides.useHostname],
    ["UseDomains", domains(overrides.useDomains)],
    ["SendHostname", overrides.sendHostname],
    ["Hostname", overrides.hostname],
  ]);
}

/** Of IPv6, routes and the MTU come from routers and not from DHCP. */
function routerSection(settings: LinkSettings): readonly Section[] {
  const { dhcp6 = false, acceptRa = false, dhcp6Overrides = {}, raOverrides = {} } = settings;
  const metric =
    dhcp6Overrides.routeMetric ?? (dhcp6 || acceptRa ? settings.dhcpMetric : undefined);
  return section("network", "IPv6AcceptRA", [
    ["Token", tokenOf(settings)],
    ["UseDNS", raOverrides.useDns],
    ["UseDomains", domains(raOverrides.useDomains)],
    ["UseMTU", dhcp6Overrides.useMtu],
    ["UseGateway", dhcp6Overrides.useRoutes],
    ["UseRoutePrefix", dhcp6Overrides.useRoutes],
    ["RouteTable", raOverrides.table],
    ["RouteMetric", metric],
  ]);
}

function tokenOf({ ipv6AddressToken, ipv6AddressGeneration }: LinkSettings): string | undefined {
  if (ipv6AddressToken !== undefined) return `static:${ipv6AddressToken}`;
  if (ipv6AddressGeneration === undefined) return undefined;
  return ipv6AddressGeneration === "eui64" ? "eui64" : "prefixstable";
}

function domains(use: DhcpOverrides["useDomains"]): boolean | string | undefined {
  if (use === undefined || use === "route") return use;
  return use === "yes";
}

function bridgeSection({ settings, ties }: Link): readonly Section[] {
  const { hairpin, learning, neighborSuppression } = settings.bridgePort ?? {};
  return section("network", "Bridge", [
    ["Cost", ties.cost],
    ["Priority", ties.priority],
    ["HairPin", hairpin],
    ["Learning", learning],
    ["NeighborSuppression", neighborSuppression],
  ]);
}

function routeSections({ routes = [] }: LinkSettings): readonly Section[] {
  return routes.flatMap((route) =>
    section("network", "Route", [
      ["Destination", route.to === "default" ? defaultDestination(route) : route.to],
      ["Gateway", route.via],
      ["Metric", route.metric],
      ["GatewayOnLink", route.onLink],
      ["PreferredSource", route.from],
      ["Type", route.type],
      ["Scope", route.scope],
      ["Table", route.table],
      ["MTUBytes", bytes(route.mtu)],
      ["TCPAdvertisedMaximumSegmentSize", bytes(route.advertisedMss)],
      ["InitialCongestionWindow", route.congestionWindow],
      ["InitialAdvertisedReceiveWindow", route.advertisedReceiveWindow],
    ]),
  );
}

/** A default route without a gateway needs a destination to be a route at all. */
function defaultDestination(route: { readonly via?: string; readonly from?: string }) {
  if (route.via !== undefined) return undefined;
  return route.from?.includes(":") === true ? "::/0" : "0.0.0.0/0";
}

function ruleSections({ routingPolicy = [] }: LinkSettings): readonly Section[] {
  return routingPolicy.flatMap((rule) =>
    section("network", "RoutingPolicyRule", [
      ["From", rule.from],
      ["To", rule.to],
      ["Family", (rule.from ?? rule.to) === undefined ? "both" : undefined],
      ["Table", rule.table],
      ["Priority", rule.priority],
      ["FirewallMark", rule.mark],
      ["TypeOfService", rule.typeOfService],
    ]),
  );
}
