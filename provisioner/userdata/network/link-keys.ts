import type {
  BridgePort,
  DhcpOverrides,
  LinkSettings,
  RaOverrides,
} from "#generated/provisioner/spec/v1.ts";
import type { Input } from "../input.ts";
import { put, readAddress } from "../network-parts.ts";
import { readAddresses, readRoutes, readRules } from "./addresses.ts";
import {
  flag,
  integerOf,
  type KeyReaders,
  left,
  macOf,
  passedOver,
  readKeys,
  setterFor,
  textOf,
  wordOf,
} from "./keys.ts";

const set = setterFor<LinkSettings>();
const setDhcp = setterFor<DhcpOverrides>();
const setRa = setterFor<RaOverrides>();
const setPort = setterFor<BridgePort>();

const useDomains = wordOf(["yes", "no", "route"], {
  true: "yes",
  false: "no",
  on: "yes",
  off: "no",
});
const metricOf = integerOf(0, 4_294_967_295);

const dhcpReaders: KeyReaders<DhcpOverrides> = {
  "use-dns": setDhcp("useDns", flag),
  "use-ntp": setDhcp("useNtp", flag),
  "use-hostname": setDhcp("useHostname", flag),
  "use-mtu": setDhcp("useMtu", flag),
  "use-routes": setDhcp("useRoutes", flag),
  "use-domains": setDhcp("useDomains", useDomains),
  "send-hostname": setDhcp("sendHostname", flag),
  hostname: setDhcp(
    "hostname",
    textOf(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/, "a host name", "web-1"),
  ),
  "route-metric": setDhcp("routeMetric", metricOf),
};

const raReaders: KeyReaders<RaOverrides> = {
  "use-dns": setRa("useDns", flag),
  "use-domains": setRa("useDomains", useDomains),
  table: setRa("table", integerOf(1, 4_294_967_295)),
};

const nameServerReaders: KeyReaders<LinkSettings> = {
  addresses: (input, link) =>
    addNameServers(
      link,
      oneOrMore(input).flatMap((item) => readAddress(item) ?? []),
    ),
  search: (input, link) => addSearch(link, input.oneOrMoreTexts()),
};

/** Items of a list; a text alone counts as a list of one, as cloud-init has it. */
function oneOrMore(input: Input): readonly Input[] {
  return typeof input.value === "string" ? [input] : input.items();
}

/** Keys that every interface of version 2 may have, netplan's among them (https://netplan.readthedocs.io). */
export const linkReaders: KeyReaders<LinkSettings> = {
  dhcp4: set("dhcp4", flag),
  dhcp6: set("dhcp6", flag),
  "dhcp4-overrides": (input, link) => readDhcp(input, link, "dhcp4Overrides"),
  "dhcp6-overrides": (input, link) => readDhcp(input, link, "dhcp6Overrides"),
  dhcp4domain: (input, link) => readDomain(input, link, "dhcp4Overrides"),
  dhcp6domain: (input, link) => readDomain(input, link, "dhcp6Overrides"),
  "dhcp-identifier": set("dhcpIdentifier", wordOf(["mac", "duid"])),
  "accept-ra": set("acceptRa", flag),
  "ra-overrides": (input, link) => {
    const overrides: RaOverrides = {};
    readKeys(input, overrides, raReaders);
    if (Object.keys(overrides).length > 0) link.raOverrides = overrides;
  },
  "link-local": set("linkLocal", (input) =>
    input.items().flatMap((item) => wordOf(["ipv4", "ipv6"])(item) ?? []),
  ),
  "ipv6-privacy": set("ipv6Privacy", flag),
  "ipv6-address-generation": set("ipv6AddressGeneration", wordOf(["eui64", "stable-privacy"])),
  "ipv6-address-token": set("ipv6AddressToken", readAddress),
  "ipv6-mtu": set("ipv6Mtu", integerOf(1280, 65_535)),
  addresses: readAddresses,
  gateway4: () => undefined, // read before: gateways stand above the routes
  gateway6: () => undefined,
  nameservers: (input, link) => readKeys(input, link, nameServerReaders),
  routes: readRoutes,
  "routing-policy": readRules,
  macaddress: set("mac", macOf),
  mtu: set("mtu", readMtu),
  optional: set("optional", flag),
  critical: set("critical", flag),
  "ignore-carrier": set("ignoreCarrier", flag),
  "emit-lldp": set("emitLldp", flag),
  "activation-mode": set("activation", wordOf(["manual", "off"])),
  hairpin: portFlag("hairpin"),
  "port-mac-learning": portFlag("learning"),
  "neigh-suppress": portFlag("neighborSuppression"),
  "optional-addresses": left(
    "which kinds of addresses a boot waits for is not translated",
    "say `optional: true` where it waits for none of them",
  ),
  networkmanager: passedOver("settings in NetworkManager's own words are not translated"),
  auth: left(
    "802.1X is not translated",
    "set networking.supplicant under `firstlight: options`, its secrets as secret files",
  ),
  openvswitch: left(
    "Open vSwitch is not translated",
    "set virtualisation.vswitch under `firstlight: options`",
  ),
};

/** Adds name servers of a link. */
export function addNameServers(
  target: { nameservers?: string[] },
  servers: readonly string[],
): void {
  if (servers.length > 0) target.nameservers = [...(target.nameservers ?? []), ...servers];
}

/** Adds search domains of a link. */
export function addSearch(target: { search?: string[] }, domains: readonly string[]): void {
  if (domains.length > 0) target.search = [...(target.search ?? []), ...domains];
}

/** An MTU; 0 says nothing, as cloud-init has it. */
export function readMtu(input: Input): number | undefined {
  if (input.value === 0 || input.value === null) {
    input.mark("translated");
    return undefined;
  }
  return integerOf(68, 65_535)(input);
}

/**
 * One metric for both families where clouds say the same of each that is on; else each has its own.
 */
export function shareMetric(link: LinkSettings): void {
  const { dhcp4Overrides: four, dhcp6Overrides: six } = link;
  const ofFour = four?.routeMetric;
  const ofSix = six?.routeMetric;
  const metric =
    ofFour !== undefined && (ofSix ?? (link.dhcp6 === true ? undefined : ofFour)) === ofFour
      ? ofFour
      : ofFour === undefined && link.dhcp4 !== true
        ? ofSix
        : undefined;
  if (metric === undefined) return;
  link.dhcpMetric = metric;
  for (const key of ["dhcp4Overrides", "dhcp6Overrides"] as const) {
    const { routeMetric: _, ...rest } = link[key] ?? {};
    if (Object.keys(rest).length > 0) link[key] = rest;
    else delete link[key];
  }
}

type Overrides = "dhcp4Overrides" | "dhcp6Overrides";

function readDhcp(input: Input, link: LinkSettings, key: Overrides): void {
  const overrides: DhcpOverrides = { ...link[key] };
  readKeys(input, overrides, dhcpReaders);
  if (Object.keys(overrides).length > 0) link[key] = overrides;
}

/** VMware's own spelling of `use-domains`. */
function readDomain(input: Input, link: LinkSettings, key: Overrides): void {
  const use = useDomains(input);
  if (use !== undefined) link[key] = { ...link[key], useDomains: use };
}

function portFlag(key: keyof BridgePort) {
  const read = setPort(key, flag);
  return (input: Input, link: LinkSettings): void => {
    const port: BridgePort = { ...link.bridgePort };
    read(input, port);
    if (Object.keys(port).length > 0) put(link, "bridgePort", port);
  };
}
