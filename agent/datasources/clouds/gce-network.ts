import { isIP, isIPv6 } from "node:net";
import { isFault } from "#core/fault.ts";
import { parsePrefixed } from "#provisioner/userdata/network-parts.ts";
import type { AnswerReader, CloudInstance, JsonObject } from "../cloud.ts";
import { type LeasedInterface, leasedEthernets, type Sources } from "./leased-ethernets.ts";
import { Said } from "./said.ts";

/** Where the service says all interfaces of the instance, the one that leads out first. */
export const interfacesPath = "/computeMetadata/v1/instance/network-interfaces/?recursive=true";

/** What an interface answers for beside its own address. */
const localKeys = ["forwardedIps", "forwardedIpv6s", "targetInstanceIps", "ipAliases"];
const leastMtu = 68;
const mostMtu = 65_535;

/**
 * The interfaces of an instance, as Google's own agent sets them up
 * (https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys,
 * https://github.com/GoogleCloudPlatform/guest-agent): each leases its address, and answers for the addresses
 * that are forwarded to it and for its alias ranges. Beyond that agent, what comes to a further interface is
 * answered by it, which Google asks of whoever has several
 * (https://cloud.google.com/vpc/docs/configure-routing-additional-interface). One interface alone with one
 * address has none.
 *
 * Where a value cannot be meant there is none either, and a warning names it: the machine leases its first
 * address without it, and its owner needs the keys and the user-data to look.
 */
export function gceNetwork(
  answers: AnswerReader,
): Pick<CloudInstance, "networkConfig" | "lacksNetwork"> {
  try {
    return { networkConfig: readInterfaces(answers) };
  } catch (error) {
    if (!isFault(error, "datasource/malformed")) throw error;
    answers.find(interfacesPath, {
      level: "warning",
      code: "datasource/unused-value",
      message: `the network is not taken from it: ${error.message}`,
      hint: "look at the interfaces of the instance, and start it again; or describe its network in a `#firstlight`, and let that in with `firstlight apply`",
    });
    return { lacksNetwork: true };
  }
}

function readInterfaces(answers: AnswerReader): JsonObject | undefined {
  if (answers.bytes(interfacesPath) === undefined) return undefined;
  const interfaces = Said.in(answers, interfacesPath).items().map(readInterface);
  return leasedEthernets(interfaces, { prefix: "nic", asksFirst: true });
}

function readInterface(said: Said): LeasedInterface {
  const ipv4 = addressIn(said.get("ip"));
  const ipv6s = said
    .get("ipv6s")
    .items()
    .flatMap((each) => addressIn(each) ?? []);
  const hasIpv6 = ipv6s.length > 0 || said.get("dhcpv6Refresh").text() !== undefined;
  const local = localNetworks(said).filter((network) => !isOwn(network, ipv4));
  return {
    mac: macIn(said.get("mac")),
    // Only one that has IPv6 may be without IPv4.
    ...{ hasIpv4: ipv4 !== undefined || !hasIpv6, hasIpv6, secondary: [], local },
    mtu: mtuIn(said.get("mtu")),
    sources: sourcesOf({ own: [ipv4 ?? [], ipv6s].flat(), local, gateway: said.get("gateway") }),
  };
}

/** In one order, whichever way the service lists them today. */
function localNetworks(said: Said): readonly string[] {
  const all = localKeys.flatMap((key) =>
    said
      .get(key)
      .items()
      .flatMap((each) => networkIn(each)),
  );
  return [...new Set(all)].sort();
}

function isOwn(network: string, address: string | undefined): boolean {
  return network === `${address}/32`;
}

/** DHCP says a way out to the first interface alone; of IPv6 the router says it to each. */
function sourcesOf(
  at: { readonly own: readonly string[]; readonly local: readonly string[] } & {
    readonly gateway: Said;
  },
): readonly Sources[] {
  const all = [...at.own, ...at.local];
  const ipv6 = all.filter((each) => isIPv6(each.replace(/\/.*/, "")));
  const ipv4 = all.filter((each) => !ipv6.includes(each));
  const gateway = addressIn(at.gateway);
  const sources: readonly Sources[] = [
    { family: "ipv4", addresses: ipv4, networks: [], gateway },
    { family: "ipv6", addresses: ipv6, networks: [] },
  ];
  return sources.filter(({ addresses }) => addresses.length > 0);
}

function addressIn(said: Said): string | undefined {
  const text = said.text();
  if (text === undefined || isIP(text) !== 0) return text;
  throw said.wrong("an address was expected, another text came");
}

/** `192.0.2.7` -> `192.0.2.7/32`; a network as it is. */
function networkIn(said: Said): string {
  const text = said.need();
  const length = isIP(text) === 6 ? 128 : 32;
  const network = isIP(text) === 0 ? parsePrefixed(text) : `${text}/${length}`;
  if (network === undefined) throw said.wrong("an address or a network was expected");
  return network;
}

function macIn(said: Said): string {
  const mac = said.need().toLowerCase();
  if (/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(mac)) return mac;
  throw said.wrong("a MAC address was expected, another text came");
}

function mtuIn(said: Said): number | undefined {
  const text = said.text();
  if (text === undefined) return undefined;
  const mtu = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (mtu >= leastMtu && mtu <= mostMtu) return mtu;
  throw said.wrong(`a size from ${leastMtu} to ${mostMtu} bytes was expected`);
}
