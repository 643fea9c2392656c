import type { Ethernet, Network } from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "./draft.ts";
import type { Input } from "./input.ts";

type Route = NonNullable<Ethernet["routes"]>[number];

/**
 * A network config of cloud-init, version 1 (physical interfaces) or 2 (ethernets), with or
 * without its `network` key -> the spec's network. Whatever else it says is named in a finding.
 */
export function fillFromNetworkConfig(root: Input, draft: SpecDraft): void {
  if (root.value === null) return root.mark("translated");
  const network = root.get("network") ?? root;
  const version = network.get("version")?.integer();
  if (version === 2) fromVersion2(network, draft);
  else if (version === 1) fromVersion1(network, draft);
  else if (network.get("config")?.value === "disabled") network.mark("translated");
  else
    network.add("error", {
      code: "network/version",
      message: "expected `version: 1` or `version: 2`",
    });
  for (const input of root.document.unmarked()) {
    input.unsupported({
      code: "network/unsupported",
      message: "this part of the network config is not translated",
      hint: "say it under `firstlight: options` with systemd.network",
    });
  }
}

function fromVersion2(network: Input, draft: SpecDraft): void {
  network.get("renderer")?.unsupported(
    {
      code: "network/unsupported",
      message: "the network is always configured with systemd-networkd",
    },
    "note",
  );
  for (const [name, input] of network.get("ethernets")?.entries() ?? []) {
    const ethernet: Ethernet = {};
    const match = readMatch(input.get("match"));
    if (match !== undefined) ethernet.match = match;
    put(ethernet, "setName", input.get("set-name")?.text());
    for (const [key, from] of [
      ["dhcp4", "dhcp4"],
      ["dhcp6", "dhcp6"],
      ["acceptRa", "accept-ra"],
      ["optional", "optional"],
    ] as const) {
      put(ethernet, key, input.get(from)?.boolean());
    }
    const addresses = input.get("addresses")?.texts() ?? [];
    if (addresses.length > 0) ethernet.addresses = [...addresses];
    const routes = [
      ...gateway(input.get("gateway4")),
      ...gateway(input.get("gateway6")),
      ...(input.get("routes")?.items() ?? []).flatMap(readRoute),
    ];
    if (routes.length > 0) ethernet.routes = routes;
    put(ethernet, "mtu", input.get("mtu")?.integer());
    addNameservers(ethernet, input.get("nameservers"));
    add(draft, name, ethernet, input);
  }
}

function fromVersion1(network: Input, draft: SpecDraft): void {
  for (const input of network.get("config")?.items() ?? []) {
    const type = input.get("type")?.text();
    const name = input.get("name")?.text();
    if (type !== "physical" || name === undefined) continue; // left unmarked: a finding names it
    const ethernet: Ethernet = {};
    const mac = input.get("mac_address")?.text();
    if (mac !== undefined) {
      ethernet.match = { mac: mac.toLowerCase() };
      ethernet.setName = name;
    }
    put(ethernet, "mtu", input.get("mtu")?.integer());
    put(ethernet, "acceptRa", input.get("accept-ra")?.boolean());
    for (const subnet of input.get("subnets")?.items() ?? []) addSubnet(ethernet, subnet);
    add(draft, name, ethernet, input);
  }
}

function addSubnet(ethernet: Ethernet, subnet: Input): void {
  const type = subnet.get("type")?.text();
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
      subnet.get("type")?.expected("dhcp4, dhcp6, static, static6, ipv6_slaac or manual");
  }
  addNameservers(ethernet, subnet, "dns_nameservers", "dns_search");
}

function addStatic(ethernet: Ethernet, subnet: Input): void {
  const input = subnet.get("address");
  const address = input?.text();
  if (input === undefined || address === undefined) {
    return subnet.add("error", {
      code: "network/invalid",
      message: "a static subnet lacks `address`",
    });
  }
  const netmask = subnet.get("netmask")?.looseText();
  const prefix = address.includes("/") ? undefined : prefixLength(netmask);
  if (!address.includes("/") && prefix === undefined) {
    return input.add("error", {
      code: "network/invalid",
      message: "this address has no prefix length",
      hint: "write 192.0.2.10/24, or give `netmask`",
    });
  }
  ethernet.addresses = [
    ...(ethernet.addresses ?? []),
    prefix === undefined ? address : `${address}/${prefix}`,
  ];
  const routes = [
    ...gateway(subnet.get("gateway")),
    ...(subnet.get("routes")?.items() ?? []).flatMap(readRoute1),
  ];
  if (routes.length > 0) ethernet.routes = [...(ethernet.routes ?? []), ...routes];
}

function readMatch(input: Input | undefined): Ethernet["match"] | undefined {
  if (input === undefined) return undefined;
  const match: NonNullable<Ethernet["match"]> = {};
  put(match, "name", input.get("name")?.text());
  put(match, "mac", input.get("macaddress")?.text()?.toLowerCase());
  put(match, "driver", input.get("driver")?.text());
  return match;
}

function readRoute(input: Input): readonly Route[] {
  const to = input.get("to")?.text();
  if (to === undefined) {
    input.add("error", { code: "network/invalid", message: "a route lacks `to`" });
    return [];
  }
  const route: Route = { to: ["0.0.0.0/0", "::/0"].includes(to) ? "default" : to };
  put(route, "via", input.get("via")?.text());
  put(route, "metric", input.get("metric")?.integer());
  put(route, "onLink", input.get("on-link")?.boolean());
  return [route];
}

/** A route of version 1: `network` or `destination`, with a netmask or a prefix length. */
function readRoute1(input: Input): readonly Route[] {
  const target = (input.get("network") ?? input.get("destination"))?.text();
  const netmask = input.get("netmask")?.looseText();
  if (target === undefined) {
    input.add("error", { code: "network/invalid", message: "a route lacks `network`" });
    return [];
  }
  const prefix = target.includes("/") ? undefined : prefixLength(netmask);
  const to = prefix === undefined ? target : `${target}/${prefix}`;
  const route: Route = { to: ["0.0.0.0/0", "::/0", "0.0.0.0", "::"].includes(to) ? "default" : to };
  put(route, "via", input.get("gateway")?.text());
  put(route, "metric", input.get("metric")?.integer());
  return [route];
}

function gateway(input: Input | undefined): readonly Route[] {
  const via = input?.text();
  return via === undefined ? [] : [{ to: "default", via }];
}

function addNameservers(
  ethernet: Ethernet,
  input: Input | undefined,
  addresses = "addresses",
  search = "search",
): void {
  const servers = input?.get(addresses)?.texts() ?? [];
  const domains = input?.get(search)?.texts() ?? [];
  if (servers.length > 0) ethernet.nameservers = [...(ethernet.nameservers ?? []), ...servers];
  if (domains.length > 0) ethernet.search = [...(ethernet.search ?? []), ...domains];
}

/** Bits of a netmask, written as a number or as a dotted mask without holes. */
function prefixLength(netmask: string | undefined): number | undefined {
  if (netmask === undefined) return undefined;
  if (/^[0-9]{1,3}$/.test(netmask)) return Number(netmask);
  const octets = netmask.split(".").map(Number);
  if (
    octets.length !== 4 ||
    octets.some((octet) => !Number.isInteger(octet) || octet < 0 || octet > 255)
  )
    return undefined;
  const bits = octets.map((octet) => octet.toString(2).padStart(8, "0")).join("");
  return /^1*0*$/.test(bits) ? bits.lastIndexOf("1") + 1 : undefined;
}

function add(draft: SpecDraft, name: string, ethernet: Ethernet, input: Input): void {
  const network: Network = (draft.spec.network ??= {});
  const ethernets = (network.ethernets ??= {});
  Object.defineProperty(ethernets, name, {
    value: ethernet,
    enumerable: true,
    writable: true,
    configurable: true,
  });
  draft.origin(["network", "ethernets", name], input);
}

function put<T extends object, K extends keyof T>(
  target: T,
  key: K,
  value: T[K] | undefined,
): void {
  if (value !== undefined) target[key] = value;
}
