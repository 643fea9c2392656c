import type {
  AddressOptions,
  LinkSettings,
  Route,
  RoutingRule,
} from "#generated/provisioner/spec/v1.ts";
import type { Input } from "../input.ts";
import {
  parsePrefixed,
  put,
  readAddress,
  readPrefixed,
  refuse,
  routeTarget,
} from "../network-parts.ts";
import { setOwn } from "../own-key.ts";
import { flag, integerOf, readKeys, setterFor, textOf, wordOf } from "./keys.ts";

const setOption = setterFor<AddressOptions>();
const setRoute = setterFor<Route>();
const setRule = setterFor<RoutingRule>();

const tableOf = integerOf(1, 4_294_967_295);
const metricOf = integerOf(0, 4_294_967_295);
const windowOf = integerOf(1, 1023);

const optionReaders = {
  label: setOption(
    "label",
    textOf(/^[^\s:]{1,15}(:[^\s]{0,13})?$/, "a label of at most 15 characters", "eth0:1"),
  ),
  lifetime: setOption("lifetime", wordOf(["forever", "0"])),
};

/** Static addresses of version 2: texts, or mappings of one to its label and lifetime. */
export function readAddresses(input: Input, link: LinkSettings): void {
  for (const item of input.items()) {
    const entries = item.isMapping() ? item.entries() : [];
    if (!item.isMapping()) addAddress(link, readPrefixed(item));
    else if (entries.length === 0)
      refuse(item, "expected an address", "write it as `192.0.2.10/24` or `2001:db8::10/64`");
    for (const [text, options] of entries) addWithOptions(link, text, options);
  }
}

function addWithOptions(link: LinkSettings, text: string, input: Input): void {
  const address = parsePrefixed(text);
  if (address === undefined) {
    return refuse(
      input,
      "expected an address with a prefix length, such as 192.0.2.10/24",
      "write it as `192.0.2.10/24` or `2001:db8::10/64`",
    );
  }
  const options: AddressOptions = {};
  readKeys(input, options, optionReaders);
  addAddress(link, address);
  addOptions(link, address, options);
}

/** Adds an address; nothing where there is none. */
export function addAddress(link: LinkSettings, address: string | undefined): void {
  if (address === undefined || link.addresses?.includes(address)) return;
  link.addresses = [...(link.addresses ?? []), address];
}

/** Says more of one of the addresses, where there is more. */
export function addOptions(link: LinkSettings, address: string, options: AddressOptions): void {
  if (Object.keys(options).length === 0) return;
  link.addressOptions ??= {};
  setOwn(link.addressOptions, address, options);
}

const routeReaders = {
  to: () => undefined, // read before: what it means depends on the gateway
  via: () => undefined,
  from: setRoute("from", readAddress),
  metric: setRoute("metric", metricOf),
  "on-link": setRoute("onLink", flag),
  type: setRoute(
    "type",
    wordOf([
      ...(["unicast", "local", "broadcast", "anycast", "multicast", "blackhole"] as const),
      ...(["unreachable", "prohibit", "throw", "nat", "xresolve"] as const),
    ]),
  ),
  scope: setRoute("scope", wordOf(["global", "link", "host"])),
  table: setRoute("table", tableOf),
  mtu: setRoute("mtu", integerOf(68, 65_535)),
  "advertised-mss": setRoute("advertisedMss", integerOf(1, 65_535)),
  "congestion-window": setRoute("congestionWindow", windowOf),
  "advertised-receive-window": setRoute("advertisedReceiveWindow", windowOf),
};

/** Static routes of version 2. */
export function readRoutes(input: Input, link: LinkSettings): void {
  for (const item of input.items()) {
    const route = readRoute(item);
    if (route !== undefined) addRoute(link, route);
  }
}

/** Adds a route to an interface. */
export function addRoute(link: LinkSettings, route: Route): void {
  link.routes = [...(link.routes ?? []), route];
}

function readRoute(input: Input): Route | undefined {
  const target = input.get("to");
  if (target === undefined)
    return refuse(
      input,
      "a route lacks `to`",
      "say where it leads, as `to: default` or `to: 198.51.100.0/24`",
    );
  const via = readGateway(input.get("via"));
  const to = readTarget(target, via);
  const route: Route = { to: to ?? "default" };
  put(route, "via", via);
  readKeys(input, route, routeReaders);
  return to === undefined ? undefined : route;
}

/** An address, or networkd's words for the gateway that DHCP or a router says. */
function readGateway(input: Input | undefined): string | undefined {
  const isWord = input?.value === "_dhcp4" || input?.value === "_ipv6ra";
  return isWord ? input.text() : readAddress(input);
}

/** `default`, a network, or one address. */
function readTarget(input: Input, via: string | undefined): string | undefined {
  if (input.value === "default") return input.text();
  const prefixed = readNetwork(input);
  return prefixed === undefined ? undefined : routeTarget(prefixed, via);
}

/** A network, or one address. */
function readNetwork(input: Input): string | undefined {
  return readPrefixed(input, () => (input.scalarText().includes(":") ? 128 : 32));
}

const ruleReaders = {
  from: setRule("from", readNetwork),
  to: setRule("to", readNetwork),
  table: setRule("table", tableOf),
  priority: setRule("priority", metricOf),
  mark: setRule("mark", tableOf),
  "type-of-service": setRule("typeOfService", integerOf(0, 255)),
};

/** Rules of version 2 that say which routing table counts. */
export function readRules(input: Input, link: LinkSettings): void {
  for (const item of input.items()) {
    const rule: RoutingRule = {};
    readKeys(item, rule, ruleReaders);
    if (Object.keys(rule).length === 0) continue;
    link.routingPolicy = [...(link.routingPolicy ?? []), rule];
  }
}
