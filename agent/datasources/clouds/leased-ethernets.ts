import { isIP, isIPv6 } from "node:net";
import type { Json } from "#core/canonical-json.ts";
import { parsePrefixed } from "#provisioner/userdata/network-parts.ts";
import type { AnswerReader, JsonObject } from "../cloud.ts";

/** An interface as a cloud describes it. */
export interface LeasedInterface {
  /** MAC address. */
  readonly mac: string;
  readonly hasIpv6: boolean;
  /** Addresses beside the one that DHCP gives, each with the length of its network. */
  readonly secondary: readonly string[];
  /** All of its addresses with their networks, by family, where answers are to leave by it. */
  readonly sources?: readonly Sources[];
}

/** What leaves by an interface, whichever way the others go. */
export interface Sources {
  readonly family: "ipv4" | "ipv6";
  readonly addresses: readonly string[];
  readonly networks: readonly string[];
}

/** Longer than that of any network. */
const tooLong = "999";
/** The routing table of the second interface is the one after this. */
const firstTable = 100;
/** Of the first interface; each one after it has as much more, so that the first is preferred. */
const routeMetric = 100;

/**
 * A network-config where there is more than one interface or address: each interface with DHCP, and only
 * the first is waited for. One alone needs nothing said, because that is what a machine does by itself.
 * `prefix` begins their names.
 */
export function leasedEthernets(
  interfaces: readonly LeasedInterface[],
  prefix: string,
): JsonObject | undefined {
  const isPlain =
    interfaces.length < 2 && interfaces.every(({ secondary }) => secondary.length === 0);
  if (isPlain) return undefined;
  const ethernets = interfaces.map(({ mac, hasIpv6, secondary, sources = [] }, index) => {
    const overrides = { "route-metric": routeMetric * (index + 1) };
    const several = interfaces.length > 1;
    return [
      `${prefix}${index}`,
      {
        ...{ match: { macaddress: mac }, dhcp4: true, dhcp6: hasIpv6, optional: index > 0 },
        ...(several ? { "dhcp4-overrides": overrides } : {}),
        ...(several && hasIpv6 ? { "dhcp6-overrides": overrides } : {}),
        ...(secondary.length === 0 ? {} : { addresses: secondary }),
        ...(index === 0 || sources.length === 0 ? {} : routesBySource(sources, firstTable + index)),
      },
    ];
  });
  return { version: 2, ethernets: Object.fromEntries(ethernets) };
}

/** What comes to an interface that is not the way out is answered by the same one. */
function routesBySource(sources: readonly Sources[], table: number): JsonObject {
  return {
    routes: sources.flatMap(({ family, networks }) => [
      { to: "default", via: family === "ipv4" ? "_dhcp4" : "_ipv6ra", table },
      ...networks.map((to) => ({ to, table })),
    ]),
    "routing-policy": sources.flatMap(({ addresses }) =>
      addresses.map((from) => ({ from, table })),
    ),
  };
}

/** Networks in what a cloud says, one a line. */
export function networksIn(value: Json | undefined): readonly string[] {
  if (typeof value !== "string") return [];
  return value.split(/\s+/).flatMap((each) => parsePrefixed(each) ?? []);
}

/** Addresses in what a cloud says: a list, the same as text in JSON, or one a line. */
export function addressesIn(value: Json | undefined): readonly string[] {
  if (Array.isArray(value)) return value.filter((each: Json) => isAddress(each));
  if (typeof value !== "string") return [];
  return value.split(/[\s,"[\]]+/).filter(isAddress);
}

function isAddress(value: Json): value is string {
  return typeof value === "string" && isIP(value) !== 0;
}

/**
 * Those beside the first one, in the network that they are of; as cloud-init has it with 24 bits of IPv4
 * and 128 of IPv6 where the cloud does not say the network.
 */
export function secondaryAddresses(
  addresses: readonly string[],
  primary: string | undefined,
  network: Json | undefined,
): readonly string[] {
  const text = typeof network === "string" ? network : "";
  const [, said = tooLong] = /^[0-9A-Fa-f.:]+\/(\d{1,3})\s*$/m.exec(text) ?? [];
  return addresses
    .filter((address) => address !== primary)
    .map((address) => {
      const [most, usual] = isIPv6(address) ? [128, 128] : [32, 24];
      return `${address}/${Number(said) > most ? usual : Number(said)}`;
    });
}

/** Says what of the network is not set up here. */
export function tellOfLeftOut(
  answers: AnswerReader,
  path: string,
  interfaces: number,
  prefixes = 0,
): void {
  const about = { level: "note", code: "datasource/not-read" } as const;
  if (interfaces > 1)
    answers.find(path, {
      ...about,
      message: "answers leave by the first interface: routes by source address are not set up",
      hint: "say them under `firstlight: options` with systemd.network, where other interfaces are asked from afar",
    });
  if (prefixes > 0)
    answers.find(path, {
      ...about,
      message: "prefixes that are delegated to an interface are not set up",
      hint: "say them under `firstlight: options` with systemd.network",
    });
}
