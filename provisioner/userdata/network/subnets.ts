import { isIP } from "node:net";
import { wordHint } from "#core/word-hint.ts";
import type { AddressOptions, LinkSettings, Route } from "#generated/provisioner/spec/v1.ts";
import type { Input } from "../input.ts";
import {
  prefixLength,
  put,
  readAddress,
  readNameServer,
  readPrefixed,
  refuse,
  routeTarget,
} from "../network-parts.ts";
import { addAddress, addOptions, addRoute } from "./addresses.ts";
import { gatewayRoute } from "./gateways.ts";
import { integerOf, type KeyReaders, left, readKeys, wordOf } from "./keys.ts";
import { addNameServers, addSearch, readMtu } from "./link-keys.ts";

const types = [
  ...(["dhcp", "dhcp4", "dhcp6", "static", "static6", "manual", "loopback"] as const),
  ...(["ipv6_slaac", "ipv6_dhcpv6-stateful", "ipv6_dhcpv6-stateless"] as const),
] as const;

const metricOf = integerOf(0, 4_294_967_295);

/** The subnets of an interface of version 1; where all of them wait for a person, so does it. */
export function readSubnets(input: Input, link: LinkSettings): void {
  if (input.value === null) return input.mark("translated");
  const subnets = input.items();
  for (const subnet of subnets) readSubnet(subnet, link);
  const isManual =
    subnets.length > 0 && subnets.every((each) => each.get("control")?.value === "manual");
  if (isManual) link.activation = "manual";
}

function readSubnet(subnet: Input, link: LinkSettings): void {
  if (!subnet.isMapping()) return subnet.expected("a mapping");
  const typeInput = subnet.get("type");
  const type = typeInput === undefined ? undefined : subnetType(typeInput);
  if (type === undefined) {
    if (typeInput === undefined)
      refuse(
        subnet,
        "a subnet lacks `type`",
        "say where its address comes from, as `type: dhcp4` or `type: static`",
      );
    return subnet.mark("unsupported");
  }
  const metric = subnet.has("metric") ? metricOf(subnet.get("metric") ?? subnet) : undefined;
  const isStatic = type === "static" || type === "static6";
  if (isStatic) addStatic(subnet, link, metric);
  else addAutomatic(link, type, metric);
  const read = () => undefined;
  const noAddress = left("a subnet of this type has no address of its own", "use the type static");
  readKeys(subnet, link, {
    ...subnetReaders(metric),
    ...Object.fromEntries(["type", "metric"].map((key) => [key, read])),
    ...Object.fromEntries(
      [
        ...["address", "ip_address", "netmask", "prefix", "gateway"],
        ...["broadcast", "pointopoint", "scope"],
      ].map((key) => [key, isStatic ? read : noAddress]),
    ),
  });
}

function subnetType(input: Input): (typeof types)[number] | undefined {
  const type = types.find((each) => each === input.value);
  if (type === undefined) {
    input.expected(
      "dhcp4, dhcp6, static, static6, ipv6_slaac or manual",
      wordHint(input.value, types),
      typeof input.value === "string" ? "another text" : undefined,
    );
    return undefined;
  }
  input.mark("translated");
  return type;
}

function subnetReaders(metric: number | undefined): KeyReaders<LinkSettings> {
  return {
    control: (input) => wordOf(["auto", "hotplug", "manual"])(input),
    dns_nameservers: (input, link) => addNameServers(link, nameServersIn(input)),
    dns_search: (input, link) => addSearch(link, wordsIn(input)),
    routes: (input, link) => {
      for (const item of input.items()) {
        const route = readRoute(item);
        if (route === undefined) continue;
        if (metric !== undefined) route.metric ??= metric;
        addRoute(link, route);
      }
    },
    mtu: (input, link) => putMtu(input, link),
    ipv4: (input) => input.mark("translated"), // the family is that of the address
    ipv6: (input) => input.mark("translated"),
  };
}

function addAutomatic(
  link: LinkSettings,
  type: (typeof types)[number],
  metric: number | undefined,
): void {
  const routeMetric = metric === undefined ? {} : { routeMetric: metric };
  if (type === "dhcp" || type === "dhcp4") {
    link.dhcp4 = true;
    if (metric !== undefined) link.dhcp4Overrides = routeMetric;
  } else if (type === "ipv6_slaac") {
    link.acceptRa ??= true;
  } else if (type !== "manual" && type !== "loopback") {
    link.dhcp6 = true;
    if (metric !== undefined) link.dhcp6Overrides = routeMetric;
  }
}

function addStatic(subnet: Input, link: LinkSettings, metric: number | undefined): void {
  const input = subnet.get("address") ?? subnet.get("ip_address");
  const options: AddressOptions = {};
  put(options, "broadcast", readAddress(subnet.get("broadcast")));
  put(options, "peer", readAddress(subnet.get("pointopoint")));
  subnet.get("scope")?.unsupported({
    code: "network/unsupported",
    message: "the scope of an address is left to the kernel",
    hint: "remove it, or say it under `firstlight: options` with systemd.network",
  });
  for (const key of ["netmask", "prefix"]) subnet.get(key)?.mark("translated");
  if (input === undefined) {
    readAddress(subnet.get("gateway"));
    return refuse(
      subnet,
      "a static subnet lacks `address`",
      "write `address: 192.0.2.10/24`, or `type: dhcp4` for one that is asked for",
    );
  }
  const address = readPrefixed(input, () => lengthBeside(subnet, input));
  addAddress(link, address);
  if (address !== undefined) addOptions(link, address, options);
  const via = readAddress(subnet.get("gateway"));
  if (via === undefined) return;
  const route = gatewayRoute(via, address === undefined ? [] : [address]);
  put(route, "metric", metric);
  addRoute(link, route);
}

/** An MTU of a subnet is the device's, where that has none; one of IPv6 is of IPv6 alone. */
function putMtu(input: Input, link: LinkSettings): void {
  const mtu = readMtu(input);
  const address = link.addresses?.at(-1) ?? "";
  if (mtu === undefined || mtu === link.mtu) return;
  if (isIP(address.split("/")[0] ?? "") === 6) {
    if (mtu >= 1280) link.ipv6Mtu = mtu;
    else
      refuse(
        input,
        "expected an MTU of 1280 or more: IPv6 has no smaller one",
        "write `mtu: 1280` or more, or say it of the subnet with IPv4",
      );
  } else if (link.mtu === undefined) link.mtu = mtu;
  else {
    input.unsupported(
      {
        code: "network/unsupported",
        message: "the interface has another MTU, and that counts",
        hint: "give one of them",
      },
      "note",
    );
  }
}

/** A route of version 1: `network` or `destination`, with the length of its prefix in any form. */
export function readRoute(input: Input): Route | undefined {
  if (!input.isMapping()) {
    input.expected("a mapping");
    return undefined;
  }
  const target = input.get("destination") ?? input.get("network");
  if (target === undefined)
    return refuse(
      input,
      "a route lacks `network`",
      "say where it leads, as `network: 198.51.100.0/24`",
    );
  const prefixed =
    target.value === "default"
      ? target.text()
      : readPrefixed(target, () => lengthBeside(input, target));
  for (const key of ["netmask", "prefix"]) input.get(key)?.mark("translated");
  const via = readAddress(input.get("gateway"));
  const route: Route = { to: routeTarget(prefixed ?? "default", via) };
  put(route, "via", via);
  readKeys(input, route, {
    ...Object.fromEntries(
      ["type", "network", "destination", "netmask", "prefix", "gateway"].map((key) => [
        key,
        (each: Input) => (key === "type" ? each.mark("translated") : undefined),
      ]),
    ),
    metric: (each, to) => put(to, "metric", metricOf(each)),
    mtu: (each, to) => put(to, "mtu", integerOf(68, 65_535)(each)),
    table: (each, to) => put(to, "table", integerOf(1, 4_294_967_295)(each)),
  });
  return prefixed === undefined ? undefined : route;
}

/** `prefix` or `netmask` beside an address; without them 24 bits of IPv4 and 64 of IPv6. */
function lengthBeside(input: Input, address: Input): number | undefined {
  const prefix = input.get("prefix")?.integer();
  const netmask = input.get("netmask");
  if (prefix !== undefined) return prefix;
  if (typeof netmask?.value === "number") return netmask.integer();
  const text = netmask?.looseText();
  if (text !== undefined) return prefixLength(text);
  return address.scalarText().includes(":") ? 64 : 24;
}

/** Name servers in such a list, or such a text; one that is none is named where it stands. */
export function nameServersIn(input: Input): readonly string[] {
  const items = typeof input.value === "string" ? [input] : input.items();
  return items.flatMap((item) => {
    if (typeof item.value !== "string") return item.text() ?? [];
    const words = [...item.value.matchAll(/\S+/g)];
    if (words.length === 0) item.mark("translated");
    return words.flatMap(
      ({ 0: word, index }) => readNameServer(item.cut(index, index + word.length)) ?? [],
    );
  });
}

/** A list of texts, or a text with blanks between its words. */
export function wordsIn(input: Input | undefined): readonly string[] {
  return input?.oneOrMoreTexts().flatMap((text) => text.split(/\s+/).filter(Boolean)) ?? [];
}
