import type { Finding } from "#core/finding.ts";
import type { Input } from "#provisioner/userdata/input.ts";
import { InputDocument } from "#provisioner/userdata/input-document.ts";
import { notTranslated } from "#provisioner/userdata/network-parts.ts";
import type { JsonDocument } from "./json-document.ts";
import { given, type Link, type Links, readLinks } from "./openstack-links.ts";
import { addNetworks, readNameServers } from "./openstack-networks.ts";

/** A network config made of network_data.json, and what is not in it. */
export interface ConvertedNetwork {
  /** Version 2, written as JSON; `undefined` where no interface is described. */
  readonly networkConfig: Uint8Array | undefined;
  readonly findings: readonly Finding[];
}

/**
 * OpenStack's network_data.json
 * (https://docs.openstack.org/nova/latest/user/metadata.html) -> a network config of version 2.
 * Interfaces are found by their MAC address and keep the kernel's name, unless the link has one.
 * The document must be a JSON object. Never throws: what is not in the result has a finding.
 */
export function convertNetworkData(document: JsonDocument): ConvertedNetwork {
  const input = new InputDocument({ ...document, textOf: () => document.text });
  const { root } = input;
  const links = readLinks(given(root, "links")?.items() ?? []);
  addNetworks(given(root, "networks")?.items() ?? [], links);
  const all = [...links.values()];
  const services = given(root, "services");
  const servers = readNameServers(services);
  if (all.length > 0) shareNameServers(servers, all);
  else if (servers.length > 0) refuseNameServers(services);
  input.unmarked().forEach(notTranslated);
  const config = JSON.stringify(documentOf(links), undefined, 2);
  return {
    networkConfig: all.length === 0 ? undefined : Buffer.from(`${config}\n`, "utf8"),
    findings: input.findings,
  };
}

/** Name servers of the machine are those of each link that has a network. */
function shareNameServers(servers: readonly string[], links: readonly Link[]): void {
  const withNetwork = links.filter(({ hasNetwork }) => hasNetwork);
  for (const { nameservers } of withNetwork.length > 0 ? withNetwork : links) {
    for (const server of servers) nameservers.add(server);
  }
}

function refuseNameServers(services: Input | undefined): void {
  services?.unsupported({
    code: "network/unsupported",
    message: "name servers are those of a link, and none is translated",
    hint: "say them under `firstlight: resolver`",
  });
}

/** Version 2 of all links, by their kinds. */
function documentOf(links: Links): object {
  const of = (kind: string | undefined, made: (link: Link) => object) => {
    const found = [...links.values()].filter((link) => link.made?.kind === kind);
    return Object.fromEntries(
      found.map((link) => [link.key, { ...made(link), ...settingsOf(link) }]),
    );
  };
  const ethernets = of(undefined, deviceOf);
  const bonds = of("bond", (link) => madeOf(link, links));
  const vlans = of("vlan", (link) => madeOf(link, links));
  return {
    version: 2,
    ethernets,
    ...(Object.keys(bonds).length === 0 ? {} : { bonds }),
    ...(Object.keys(vlans).length === 0 ? {} : { vlans }),
  };
}

function deviceOf({ mac, name }: Link): object {
  return {
    match: mac === undefined ? { name } : { macaddress: mac },
    ...(mac !== undefined && name !== undefined ? { "set-name": name } : {}),
  };
}

function madeOf({ made, mac }: Link, links: Links): object {
  const keyOf = (id: string) => links.get(id)?.key ?? id;
  const address = mac === undefined ? {} : { macaddress: mac };
  switch (made?.kind) {
    case "bond":
      return { interfaces: made.members.map(keyOf), parameters: made.parameters, ...address };
    case "vlan":
      return { id: made.number, link: keyOf(made.parent), ...address };
    case undefined:
      return {};
  }
}

/** As netplan writes it; a key that says nothing is left out. */
function settingsOf(link: Link): object {
  const { mtu, dhcp4, dhcp6, acceptRa } = link;
  const addresses = [...link.addresses];
  const routes = [...link.routes.values()];
  const nameservers = { addresses: [...link.nameservers], search: [...link.search] };
  const hasNames = nameservers.addresses.length + nameservers.search.length > 0;
  return {
    ...(mtu === undefined ? {} : { mtu }),
    ...(dhcp4 ? { dhcp4 } : {}),
    ...(dhcp6 ? { dhcp6 } : {}),
    ...(acceptRa === undefined ? {} : { "accept-ra": acceptRa }),
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(routes.length === 0 ? {} : { routes }),
    ...(hasNames ? { nameservers } : {}),
  };
}
