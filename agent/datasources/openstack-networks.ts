import type { Input } from "#provisioner/userdata/input.ts";
import {
  prefixLength,
  readAddress,
  readPrefixed,
  refuse,
} from "#provisioner/userdata/network-parts.ts";
import { given, type Link, type Links, ofCloud, type Route } from "./openstack-links.ts";

/** Adds each of the `networks` of network_data.json to the link that it is on. */
export function addNetworks(inputs: readonly Input[], links: Links): void {
  for (const input of inputs) {
    const link = findLink(input, links);
    if (link !== undefined) addNetwork(input, link);
  }
}

/** Addresses of name servers among `services`; other services stay unread, and so get a finding. */
export function readNameServers(services: Input | undefined): readonly string[] {
  return (services?.items() ?? []).flatMap((service) => {
    if (service.get("type")?.value !== "dns") return [];
    service.get("type")?.mark("translated");
    return readAddress(given(service, "address")) ?? [];
  });
}

function findLink(input: Input, links: Links): Link | undefined {
  const id = given(input, "link")?.text();
  if (id === undefined) {
    if (input.get("link")?.value === undefined) refuse(input, "a network lacks `link`", ofCloud);
    return undefined;
  }
  const link = links.get(id);
  if (link !== undefined) return link;
  input.unsupported({
    code: "network/unsupported",
    message: "its link is not among the links",
    hint: "say it under `firstlight: options` with systemd.network",
  });
  return undefined;
}

function addNetwork(input: Input, link: Link): void {
  for (const key of ["id", "network_id"]) input.get(key)?.mark("translated");
  addKind(input, link);
  addRoutes(input, link);
  const servers = given(input, "dns_nameservers")?.items().map(readAddress) ?? [];
  for (const server of [...readNameServers(given(input, "services")), ...servers]) {
    if (server !== undefined) link.nameservers.add(server);
  }
  for (const domain of readSearch(given(input, "dns_search"))) link.search.add(domain);
  link.hasNetwork = true;
}

/** Search domains: a list, or one. */
function readSearch(input: Input | undefined): readonly string[] {
  const items = input === undefined ? [] : input.isList() ? input.items() : [input];
  return items.flatMap((item) => {
    const domain = item.text();
    if (domain === undefined || /^\S+$/.test(domain)) return domain ?? [];
    return refuse(item, "expected a domain without spaces", ofCloud) ?? [];
  });
}

/**
 * Where addresses come from. As in cloud-init, a static one of IPv6 alone switches router
 * advertisements off; other than there, not where another network on the link needs them.
 */
function addKind(input: Input, link: Link): void {
  const type = given(input, "type");
  switch (type?.text()) {
    case "ipv4":
    case "static":
      return addStatic(input, link);
    case "ipv6":
    case "static6":
      link.acceptRa ??= false;
      return addStatic(input, link);
    case "ipv4_dhcp":
      link.dhcp4 = true;
      return passOver(input);
    case "ipv6_dhcp":
    case "ipv6_dhcpv6-stateful":
    case "ipv6_dhcpv6-stateless":
      link.dhcp6 = true;
      link.acceptRa = true;
      return passOver(input);
    case "ipv6_slaac":
      link.acceptRa = true;
      return passOver(input);
    case undefined:
      if (type === undefined) refuse(input, "a network lacks `type`", ofCloud);
      return;
    default:
      type?.expected("ipv4, ipv6, ipv4_dhcp, ipv6_dhcp or ipv6_slaac", ofCloud);
  }
}

/** What the cloud says of the address that the machine gets from the network itself. */
function passOver(input: Input): void {
  for (const key of ["ip_address", "netmask", "gateway"]) input.get(key)?.mark("translated");
}

function addStatic(input: Input, link: Link): void {
  const address = given(input, "ip_address");
  if (address === undefined) return refuse(input, "a static network lacks `ip_address`", ofCloud);
  const prefixed = readPrefixed(address, () => lengthBeside(input, address));
  input.get("netmask")?.mark("translated"); // a length in the address itself counts
  if (prefixed !== undefined) link.addresses.add(prefixed);
  const gateway = readAddress(given(input, "gateway"));
  if (gateway !== undefined) addRoute(link, { to: "default", via: gateway });
}

/** `netmask`, a mask or a number; without it 24 bits of IPv4 and 64 of IPv6, as cloud-init has it. */
function lengthBeside(input: Input, address: Input): number | undefined {
  const netmask = given(input, "netmask");
  if (netmask === undefined) return address.scalarText().includes(":") ? 64 : 24;
  netmask.mark("translated");
  return typeof netmask.value === "object" ? undefined : prefixLength(netmask.scalarText());
}

function addRoutes(input: Input, link: Link): void {
  for (const route of given(input, "routes")?.items() ?? []) {
    for (const server of readNameServers(given(route, "services"))) link.nameservers.add(server);
    const target = given(route, "network");
    if (target === undefined) {
      refuse(route, "a route lacks `network`", ofCloud);
      continue;
    }
    const to = readPrefixed(target, () => lengthBeside(route, target));
    const via = readAddress(given(route, "gateway"));
    if (to === undefined) continue;
    const whole = via !== undefined && to.endsWith("/0");
    addRoute(link, { to: whole ? "default" : to, ...(via === undefined ? {} : { via }) });
  }
}

function addRoute({ routes }: Link, route: Route): void {
  routes.set(`${route.to} ${route.via ?? ""}`, route);
}
