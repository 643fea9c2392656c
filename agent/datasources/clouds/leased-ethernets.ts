import { isIP, isIPv6 } from "node:net";
import type { Json } from "#core/canonical-json.ts";
import { parsePrefixed } from "#provisioner/userdata/network-parts.ts";
import type { AnswerReader, JsonObject } from "../cloud.ts";

/** An interface as a cloud describes it. */
export interface LeasedInterface {
  /** MAC address. */
  readonly mac: string;
  /** Whether there is anything to lease of IPv4; there is when absent. */
  readonly hasIpv4?: boolean;
  readonly hasIpv6: boolean;
  /** Addresses beside the one that DHCP gives, each with the length of its network. */
  readonly secondary: readonly string[];
  /** Networks that the machine answers for as a whole, without an address in them. */
  readonly local?: readonly string[];
  /** Largest packet in bytes, where the cloud says it; what an interface has by itself when absent. */
  readonly mtu?: number | undefined;
  /** All of its addresses with their networks, by family, where answers are to leave by it. */
  readonly sources?: readonly Sources[];
}

/** What leaves by an interface, whichever way the others go. */
export interface Sources {
  readonly family: "ipv4" | "ipv6";
  readonly addresses: readonly string[];
  readonly networks: readonly string[];
  /** The way out, where the cloud says it; what DHCP or a router says when absent. */
  readonly gateway?: string | undefined;
}

/** What the interfaces of a cloud have in common. */
export interface LeasedNaming {
  /** Begins their names. */
  readonly prefix: string;
  /** Whether only name servers of the first interface are asked; those of all are when absent. */
  readonly asksFirst?: boolean;
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
 */
export function leasedEthernets(
  interfaces: readonly LeasedInterface[],
  { prefix, asksFirst = false }: LeasedNaming,
): JsonObject | undefined {
  const several = interfaces.length > 1;
  const isPlain = ({ secondary, local = [] }: LeasedInterface) =>
    secondary.length + local.length === 0;
  if (!several && interfaces.every(isPlain)) return undefined;
  const ethernets = interfaces.map((each, index) => {
    const { mac, hasIpv4 = true, hasIpv6, secondary, local = [], mtu, sources = [] } = each;
    const overrides = {
      "route-metric": routeMetric * (index + 1),
      ...(asksFirst && index > 0 ? { "use-dns": false } : {}),
    };
    const bySource = index === 0 ? [] : sources;
    const table = firstTable + index;
    const routes = [
      ...local.map((to) => ({ to, type: "local" })),
      ...bySource.flatMap((source) => routesOf(source, table)),
    ];
    const rules = bySource.flatMap(({ addresses }) => addresses.map((from) => ({ from, table })));
    return [
      `${prefix}${index}`,
      {
        ...{ match: { macaddress: mac }, dhcp4: hasIpv4, dhcp6: hasIpv6, optional: index > 0 },
        ...(mtu === undefined ? {} : { mtu }),
        ...(several && hasIpv4 ? { "dhcp4-overrides": overrides } : {}),
        ...(several && hasIpv6 ? { "dhcp6-overrides": overrides } : {}),
        ...(secondary.length === 0 ? {} : { addresses: secondary }),
        ...(routes.length === 0 ? {} : { routes }),
        ...(rules.length === 0 ? {} : { "routing-policy": rules }),
      },
    ];
  });
  return { version: 2, ethernets: Object.fromEntries(ethernets) };
}

/** What comes to an interface that is not the way out is answered by the same one. */
function routesOf({ family, networks, gateway }: Sources, table: number): readonly JsonObject[] {
  const leased = family === "ipv4" ? "_dhcp4" : "_ipv6ra";
  const way = gateway === undefined ? { via: leased } : { via: gateway, "on-link": true };
  return [{ to: "default", ...way, table }, ...networks.map((to) => ({ to, table }))];
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
