import type { Ethernet } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "./draft.ts";
import type { Input } from "./input.ts";
import {
  addEthernet,
  gatewayRoute,
  prefixLength,
  put,
  type Route,
  readAddress,
  readPrefixed,
  refuse,
  routeTarget,
} from "./network-parts.ts";
import { getOwn } from "./own-key.ts";

/**
 * Version 1: interfaces of the type `physical` and name servers
 * (https://docs.cloud-init.io/en/latest/reference/network-config-format-v1.html).
 */
export function fillFromVersion1(network: Input, draft: SpecDraft): void {
  const items = network.get("config")?.items() ?? [];
  for (const input of items) {
    if (input.get("type")?.value === "physical") addPhysical(input, draft);
  }
  // a name server may be for an interface that stands after it
  for (const input of items) {
    if (input.get("type")?.value === "nameserver") addNameserver(input, draft);
  }
}

function addPhysical(input: Input, draft: SpecDraft): void {
  input.get("type")?.mark("translated");
  const ethernet: Ethernet = {};
  const name = input.get("name")?.text();
  const mac = input.get("mac_address")?.text();
  if (mac !== undefined) ethernet.match = { mac: mac.toLowerCase() };
  if (mac !== undefined && name !== undefined) ethernet.setName = name;
  put(ethernet, "mtu", input.get("mtu")?.integer());
  put(ethernet, "acceptRa", input.get("accept-ra")?.boolean());
  for (const subnet of input.get("subnets")?.items() ?? []) addSubnet(ethernet, subnet);
  if (name !== undefined) addEthernet(draft, name, ethernet, input);
  else if (input.get("name") === undefined) refuse(input, "an interface lacks `name`");
}

/** With `interface` they are of that link, else of the machine. */
function addNameserver(input: Input, draft: SpecDraft): void {
  input.get("type")?.mark("translated");
  const link = input.get("interface")?.text();
  const ethernet = link === undefined ? undefined : getOwn(ethernetsOf(draft), link);
  if (link !== undefined && ethernet === undefined) {
    return input.unsupported({
      code: "network/unsupported",
      message: "these name servers are for an interface that is not translated",
      hint: "say them under `firstlight: resolver`",
    });
  }
  const target = ethernet ?? draft.spec.resolver ?? {};
  addNames(target, input, "address", "search");
  if (ethernet !== undefined || (target.nameservers ?? target.search) === undefined) return;
  draft.spec.resolver = target;
  draft.origin(["resolver"], input);
}

function ethernetsOf(draft: SpecDraft): { readonly [name: string]: Ethernet } {
  return draft.spec.network?.ethernets ?? {};
}

function addSubnet(ethernet: Ethernet, subnet: Input): void {
  const typeInput = subnet.get("type");
  const type = typeInput?.text();
  switch (type) {
    case "dhcp":
    case "dhcp4":
      ethernet.dhcp4 = true;
      break;
    case "dhcp6":
    case "ipv6_dhcpv6-stateful":
    case "ipv6_dhcpv6-stateless":
      ethernet.dhcp6 = true;
      break;
    case "ipv6_slaac":
      ethernet.acceptRa = true;
      break;
    case "manual":
      break;
    case "static":
    case "static6":
      addStatic(ethernet, subnet);
      break;
    default:
      typeInput?.expected("dhcp4, dhcp6, static, static6, ipv6_slaac or manual");
      if (typeInput === undefined) refuse(subnet, "a subnet lacks `type`");
  }
  if (subnet.get("control")?.value === "auto") subnet.get("control")?.mark("translated");
  addNames(ethernet, subnet, "dns_nameservers", "dns_search");
  const routes = (subnet.get("routes")?.items() ?? []).flatMap(readRoute);
  if (routes.length > 0) ethernet.routes = [...(ethernet.routes ?? []), ...routes];
}

function addStatic(ethernet: Ethernet, subnet: Input): void {
  const input = subnet.get("address") ?? subnet.get("ip_address");
  if (input === undefined) return refuse(subnet, "a static subnet lacks `address`");
  const address = readPrefixed(input, () => lengthBeside(subnet, input));
  if (address !== undefined) ethernet.addresses = [...(ethernet.addresses ?? []), address];
  const routes = gatewayRoute(subnet.get("gateway"));
  if (routes.length > 0) ethernet.routes = [...(ethernet.routes ?? []), ...routes];
}

/** `prefix` or `netmask` beside an address; without them 24 bits of IPv4 and 64 of IPv6. */
function lengthBeside(input: Input, address: Input): number | undefined {
  const prefix = input.get("prefix")?.integer();
  const netmask = input.get("netmask")?.looseText();
  if (prefix !== undefined) return prefix;
  if (netmask !== undefined) return prefixLength(netmask);
  return String(address.value).includes(":") ? 64 : 24;
}

function readRoute(input: Input): readonly Route[] {
  const target = input.get("network") ?? input.get("destination");
  if (target === undefined) {
    refuse(input, "a route lacks `network`");
    return [];
  }
  const prefixed =
    target.value === "default"
      ? target.text()
      : readPrefixed(target, () => lengthBeside(input, target));
  const via = readAddress(input.get("gateway"));
  const route: Route = { to: routeTarget(prefixed ?? "default", via) };
  put(route, "via", via);
  put(route, "metric", input.get("metric")?.integer());
  return prefixed === undefined ? [] : [route];
}

/** Name servers and search domains: lists, or texts with spaces between them. */
function addNames(
  target: { nameservers?: string[]; search?: string[] },
  input: Input,
  addresses: string,
  search: string,
): void {
  const servers = words(input.get(addresses));
  const domains = words(input.get(search));
  if (servers.length > 0) target.nameservers = [...(target.nameservers ?? []), ...servers];
  if (domains.length > 0) target.search = [...(target.search ?? []), ...domains];
}

function words(input: Input | undefined): readonly string[] {
  return input?.oneOrMoreTexts().flatMap((text) => text.split(/\s+/).filter(Boolean)) ?? [];
}
