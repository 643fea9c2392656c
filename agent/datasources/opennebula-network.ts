import { prefixLength } from "#provisioner/userdata/network-parts.ts";
import type { JsonObject } from "./cloud.ts";
import { nameByMac } from "./clouds/version1.ts";
import type { DriveReading } from "./drive-datasource.ts";

/**
 * The network that variables `ETHn_…` say
 * (https://docs.opennebula.io/stable/product/operation_references/configuration_references/template/):
 * version 2, an interface for each that has an address, or gets one. Where one has none it is in its MAC
 * address, as OpenNebula makes those. What is an alias (`ETHn_ALIASm_…`) is one more address.
 */
export function openNebulaNetwork(
  variables: ReadonlyMap<string, string>,
  reading: Pick<DriveReading, "interfaces" | "malformed">,
): JsonObject | undefined {
  const names = [...variables.keys()].flatMap((key) => /^(ETH\d+)_(?:IP|MAC)/.exec(key)?.[1] ?? []);
  const aliases = aliasesIn(variables);
  const ethernets = [...new Set(names)].flatMap(
    (name): readonly (readonly [string, JsonObject])[] => {
      const mac = readerOf(name, variables)("MAC")?.toLowerCase();
      const ethernet = ethernetOf({ name, mac, variables, reading, aliases: aliases.get(name) });
      if (ethernet === undefined) return [];
      const match = mac === undefined ? {} : { match: { macaddress: mac } };
      return [[nameByMac(reading, mac, name.toLowerCase()), { ...match, ...ethernet }]];
    },
  );
  if (ethernets.length === 0) return undefined;
  return { version: 2, ethernets: Object.fromEntries(ethernets) };
}

interface Ethernet {
  readonly name: string;
  readonly mac: string | undefined;
  readonly variables: ReadonlyMap<string, string>;
  readonly reading: Pick<DriveReading, "malformed">;
  /** Names of its aliases. */
  readonly aliases: ReadonlySet<string> | undefined;
}

/** The variables of an interface, or of an alias; an empty one says nothing. */
type Read = (key: string) => string | undefined;

function readerOf(name: string, variables: ReadonlyMap<string, string>): Read {
  return (key) => variables.get(`${name}_${key}`)?.trim() || undefined;
}

/** How an interface gets its addresses, each family by its own method. */
function ethernetOf({ name, mac, variables, reading, aliases }: Ethernet): JsonObject | undefined {
  const read = readerOf(name, variables);
  const method = read("METHOD") ?? "static";
  const method6 = read("IP6_METHOD") ?? "static";
  const isStatic = method !== "dhcp" && method !== "skip";
  const isStatic6 = !["auto", "dhcp", "disable", "skip"].includes(method6);
  const gets = {
    ...(method === "dhcp" ? { dhcp4: true } : {}),
    ...(method6 === "dhcp" ? { dhcp6: true } : {}),
    ...(method6 === "dhcp" || method6 === "auto" ? { "accept-ra": true } : {}),
  };
  const addresses = [
    ...(isStatic ? ipv4In(name, read, { reading, otherwise: addressIn(mac) }) : []),
    ...(isStatic6 ? ipv6In(read) : []),
    ...[...(aliases ?? [])].flatMap((alias) => {
      const own = readerOf(alias, variables);
      return [...ipv4In(alias, own, { reading }), ...ipv6In(own)];
    }),
  ];
  if (addresses.length === 0 && Object.keys(gets).length === 0) return undefined;
  const routes = [
    ...(isStatic ? defaultRoute(read("GATEWAY"), read("METRIC")) : []),
    ...(isStatic6 ? defaultRoute(read("IP6_GATEWAY") ?? read("GATEWAY6"), read("IP6_METRIC")) : []),
    ...routesIn(name, read("ROUTES"), reading),
  ];
  const nameservers = {
    addresses: wordsIn(read("DNS"), variables.get("DNS")),
    search: wordsIn(read("SEARCH_DOMAIN"), variables.get("SEARCH_DOMAIN")),
  };
  const mtu = read("MTU");
  const metric = metricIn(read("METRIC"));
  return {
    ...gets,
    ...(method === "dhcp" && metric !== undefined
      ? { "dhcp4-overrides": { "route-metric": metric } }
      : {}),
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(routes.length === 0 ? {} : { routes }),
    ...(nameservers.addresses.length + nameservers.search.length === 0 ? {} : { nameservers }),
    ...(mtu === undefined ? {} : { mtu: numberOrText(mtu) }),
  };
}

/** Aliases by their interfaces, but those that are not the machine's to set up, or are being taken away. */
function aliasesIn(
  variables: ReadonlyMap<string, string>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const key of variables.keys()) {
    const [, alias, name] = /^((ETH\d+)_ALIAS\d+)_IP/.exec(key) ?? [];
    if (alias === undefined || name === undefined) continue;
    const read = readerOf(alias, variables);
    if (read("EXTERNAL")?.toLowerCase() === "yes" || read("DETACH") !== undefined) continue;
    found.set(name, (found.get(name) ?? new Set()).add(alias));
  }
  return found;
}

function ipv4In(
  name: string,
  read: Read,
  { reading, otherwise }: Pick<Ethernet, "reading"> & { readonly otherwise?: string | undefined },
): readonly string[] {
  const length = prefixLength(read("MASK") ?? "255.255.255.0");
  if (length === undefined)
    throw reading.malformed("context.sh", `${name}_MASK: a netmask was expected`);
  const address = read("IP") ?? otherwise;
  return address === undefined ? [] : [`${address}/${length}`];
}

function ipv6In(read: Read): readonly string[] {
  return [read("IP6"), read("IP6_ULA")].flatMap((address) =>
    address === undefined ? [] : [`${address}/${read("IP6_PREFIX_LENGTH") ?? "64"}`],
  );
}

function defaultRoute(via: string | undefined, metric: string | undefined): readonly JsonObject[] {
  if (via === undefined) return [];
  const wanted = metricIn(metric);
  return [{ to: "default", via, ...(wanted === undefined ? {} : { metric: wanted }) }];
}

function metricIn(text: string | undefined): number | string | undefined {
  return text === undefined ? undefined : numberOrText(text);
}

/** What is no number is left to the network-config's reader to say. */
function numberOrText(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** `02:00:c0:00:02:07` -> `192.0.2.7`. */
function addressIn(mac: string | undefined): string | undefined {
  const octets = /^02:00((?::[0-9a-f]{2}){4})$/.exec(mac ?? "")?.[1];
  return octets
    ?.slice(1)
    .split(":")
    .map((octet) => Number.parseInt(octet, 16))
    .join(".");
}

function wordsIn(...texts: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(texts.flatMap((text) => text?.match(/\S+/g) ?? []))];
}

/** `10.0.0.0/8 via 192.0.2.1, …`. */
function routesIn(
  name: string,
  text: string | undefined,
  { malformed }: Pick<DriveReading, "malformed">,
): readonly JsonObject[] {
  const written = (text ?? "").split(",").filter((each) => each.trim() !== "");
  return written.map((route) => {
    const [, to, via] = /^\s*(\S+)\s+via\s+(\S+)\s*$/.exec(route) ?? [];
    if (to === undefined || via === undefined)
      throw malformed("context.sh", `${name}_ROUTES: NETWORK via GATEWAY was expected`);
    return { to, via };
  });
}
