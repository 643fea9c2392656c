import { prefixLength } from "#provisioner/userdata/network-parts.ts";
import type { JsonObject } from "./cloud.ts";
import { nameByMac } from "./clouds/version1.ts";
import type { DriveReading } from "./drive-datasource.ts";

/**
 * The network that variables `ETHn_…` say
 * (https://docs.opennebula.io/stable/product/operation_references/configuration_references/template/):
 * version 2, an interface for each that has an address. Where one has none it is in its MAC address,
 * as OpenNebula makes those.
 */
export function openNebulaNetwork(
  variables: ReadonlyMap<string, string>,
  reading: Pick<DriveReading, "interfaces" | "malformed">,
): JsonObject | undefined {
  const names = [...variables.keys()].flatMap((key) => /^(ETH\d+)_(?:IP|MAC)/.exec(key)?.[1] ?? []);
  const ethernets = [...new Set(names)].flatMap(
    (name): readonly (readonly [string, JsonObject])[] => {
      const read = (key: string) => variables.get(`${name}_${key}`)?.trim() || undefined;
      const mac = read("MAC")?.toLowerCase();
      if (read("METHOD") === "skip") return [];
      const ethernet = ethernetOf(name, { read, mac, variables, reading });
      if (ethernet === undefined) return [];
      const match = mac === undefined ? {} : { match: { macaddress: mac } };
      return [[nameByMac(reading, mac, name.toLowerCase()), { ...match, ...ethernet }]];
    },
  );
  if (ethernets.length === 0) return undefined;
  return { version: 2, ethernets: Object.fromEntries(ethernets) };
}

interface Ethernet {
  readonly read: (key: string) => string | undefined;
  readonly mac: string | undefined;
  readonly variables: ReadonlyMap<string, string>;
  readonly reading: Pick<DriveReading, "malformed">;
}

function ethernetOf(
  name: string,
  { read, mac, variables, reading }: Ethernet,
): JsonObject | undefined {
  const mask = read("MASK") ?? "255.255.255.0";
  const length = prefixLength(mask);
  if (length === undefined)
    throw reading.malformed("context.sh", `${name}_MASK: a netmask was expected`);
  const isDhcp = read("METHOD") === "dhcp";
  const ipv4 = isDhcp ? undefined : (read("IP") ?? addressIn(mac));
  const ipv6 = [read("IP6"), read("IP6_ULA")].filter((each) => each !== undefined);
  const addresses = [
    ...(ipv4 === undefined ? [] : [`${ipv4}/${length}`]),
    ...ipv6.map((address) => `${address}/${read("IP6_PREFIX_LENGTH") ?? "64"}`),
  ];
  if (addresses.length === 0 && !isDhcp) return undefined;
  const gateways = [isDhcp ? undefined : read("GATEWAY"), read("IP6_GATEWAY") ?? read("GATEWAY6")];
  const routes = [
    ...gateways.flatMap((via) => (via === undefined ? [] : [{ to: "default", via }])),
    ...routesIn(name, read("ROUTES"), reading),
  ];
  const nameservers = {
    addresses: wordsIn(read("DNS"), variables.get("DNS")),
    search: wordsIn(read("SEARCH_DOMAIN"), variables.get("SEARCH_DOMAIN")),
  };
  const mtu = read("MTU");
  return {
    ...(isDhcp ? { dhcp4: true } : {}),
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(routes.length === 0 ? {} : { routes }),
    ...(nameservers.addresses.length + nameservers.search.length === 0 ? {} : { nameservers }),
    ...(mtu === undefined ? {} : { mtu: /^\d+$/.test(mtu) ? Number(mtu) : mtu }),
  };
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
