import { wordHint } from "#core/word-hint.ts";
import type {
  Bond,
  Bridge,
  Ethernet,
  LinkSettings,
  Network,
} from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "./draft.ts";
import type { Input } from "./input.ts";
import { addRoute } from "./network/addresses.ts";
import { readBondParameters, readBridgeParameters } from "./network/bond-parameters.ts";
import { holds } from "./network/gateways.ts";
import {
  deviceMacOf,
  flag,
  integerOf,
  type KeyReaders,
  left,
  linkNameOf,
  macOf,
  namesOf,
  readKeys,
} from "./network/keys.ts";
import { addNameServers, addSearch, readMtu, shareMetric } from "./network/link-keys.ts";
import { nameServersIn, readRoute, readSubnets, wordsIn } from "./network/subnets.ts";
import { addLink, kindOf, type LinkKind, put, refuse } from "./network-parts.ts";

/** The interfaces that a document has made, by their names. */
type Made = Map<string, LinkSettings>;

const linkTypes = ["physical", "infiniband", "loopback", "bond", "bridge", "vlan"] as const;
type LinkType = (typeof linkTypes)[number];

/**
 * Version 1, with all of its types
 * (https://docs.cloud-init.io/en/latest/reference/network-config-format-v1.html).
 */
export function fillFromVersion1(network: Input, draft: SpecDraft): void {
  const items = network.get("config")?.items() ?? [];
  const made: Made = new Map();
  for (const input of items) {
    const type = linkTypes.find((each) => each === input.get("type")?.value);
    if (type !== undefined) addInterface(input, type, draft, made);
    else if (!isLater(input)) refuseType(input);
  }
  // name servers and routes may be for an interface that stands after them
  for (const input of items) {
    if (input.get("type")?.value === "nameserver") addNameserver(input, draft, made);
    if (input.get("type")?.value === "route") addGlobalRoute(input, made);
  }
}

function isLater(input: Input): boolean {
  return ["nameserver", "route"].includes(input.get("type")?.scalarText() ?? "");
}

function refuseType(input: Input): void {
  const type = input.get("type");
  if (!input.isMapping()) input.expected("a mapping");
  else if (type === undefined)
    refuse(input, "an entry lacks `type`", "say what it is, as `type: physical`");
  else {
    input.mark("unsupported");
    type.expected(
      `${linkTypes.join(", ")}, nameserver or route`,
      wordHint(type.value, [...linkTypes, "nameserver", "route"]),
      typeof type.value === "string" ? "another text" : undefined,
    );
  }
}

function addInterface(input: Input, type: LinkType, draft: SpecDraft, made: Made): void {
  const nameInput = input.get("name");
  if (nameInput === undefined)
    return refuse(input, "an interface lacks `name`", "say how it is called, as `name: eth0`");
  const name = nameInput.text();
  const link: Ethernet = {};
  const mtu = input.get("mtu");
  if (mtu !== undefined) put(link, "mtu", readMtu(mtu)); // before those of subnets
  readKeys(input, link, { ...commonReaders, ...readersOf(type, name) });
  shareMetric(link);
  if (name === undefined) return;
  if (type === "loopback") return addLoopback(input, { name, link }, draft);
  const kind = kindOfType[type];
  const missing = needed[type].find((key) => input.get(key) === undefined);
  if (missing !== undefined)
    return refuse(
      input,
      `a ${type} lacks \`${missing}\``,
      `write ${missingExamples[missing] ?? `\`${missing}: …\``}`,
    );
  addLink(draft, { kind, name, input }, link as NonNullable<Network[typeof kind]>[string]);
  if (draft.spec.network?.[kind]?.[name] === link) made.set(name, link);
}

const kindOfType: Readonly<Record<Exclude<LinkType, "loopback">, LinkKind>> = {
  physical: "ethernets",
  infiniband: "ethernets",
  bond: "bonds",
  bridge: "bridges",
  vlan: "vlans",
};

/** How what an interface cannot be made without is written. */
const missingExamples: Readonly<Record<string, string>> = {
  bond_interfaces: "`bond_interfaces: [eth0, eth1]`",
  bridge_interfaces: "`bridge_interfaces: [eth0]`; an empty list is one without any",
  vlan_link: "the interface below it, as `vlan_link: eth0`",
  vlan_id: "its number, as `vlan_id: 100`",
};

const needed: Readonly<Record<Exclude<LinkType, "loopback">, readonly string[]>> = {
  physical: [],
  infiniband: [],
  bond: ["bond_interfaces"],
  bridge: ["bridge_interfaces"],
  vlan: ["vlan_link", "vlan_id"],
};

const kernel = left(
  "settings of the kernel for one interface are not translated",
  "set boot.kernel.sysctl under `firstlight: options`",
);

const commonReaders: KeyReaders<LinkSettings> = {
  type: (input) => input.mark("translated"),
  name: () => undefined,
  mtu: () => undefined,
  subnets: readSubnets,
  "accept-ra": (input, link) => put(link, "acceptRa", flag(input)),
  accept_ra: (input, link) => put(link, "acceptRa", flag(input)),
  optional: (input, link) => put(link, "optional", flag(input)),
  keep_configuration: (input, link) => put(link, "critical", flag(input)),
  config_id: (input) => input.mark("translated"), // an interface is known by its name
  ipv4_conf: kernel,
  ipv6_conf: kernel,
};

function readersOf(type: LinkType, name: string | undefined): KeyReaders<LinkSettings> {
  const mac = (input: Input, link: LinkSettings) => put(link, "mac", macOf(input));
  switch (type) {
    case "physical":
    case "infiniband":
    case "loopback":
      return {
        mac_address: (input, link: Ethernet) => {
          if (input.value === null) return input.mark("translated");
          const found = deviceMacOf(input);
          if (found === undefined || type === "loopback") return;
          link.match = { mac: found };
          if (name !== undefined && interfaceName.test(name)) link.setName = name;
        },
        wakeonlan: (input, link: Ethernet) => put(link, "wakeOnLan", flag(input)),
      };
    case "bond":
      return {
        mac_address: mac,
        bond_interfaces: (input, link: Bond) => put(link, "interfaces", namesOf(input)),
        params: (input, link: Bond) => readBondParameters(input, link),
      };
    case "bridge":
      return {
        mac_address: mac,
        bridge_interfaces: (input, link: Bridge) =>
          put(link, "interfaces", [...(link.interfaces ?? []), ...(namesOf(input) ?? [])]),
        params: (input, link: Bridge) => readBridgeParameters(input, link),
      };
    case "vlan":
      return {
        mac_address: mac,
        vlan_link: (input, link) => put(link as { link?: string }, "link", linkNameOf(input)),
        vlan_id: (input, link) => put(link as { id?: number }, "id", integerOf(0, 4094)(input)),
      };
  }
}

const interfaceName = /^[A-Za-z0-9_.-]{1,15}$/;

/** What stands under the loopback is the machine's, but for addresses. */
function addLoopback(
  input: Input,
  { name, link }: { readonly name: string; readonly link: LinkSettings },
  draft: SpecDraft,
): void {
  const { nameservers = [], search = [], ...rest } = link;
  addToResolver(draft, input, nameservers, search);
  if (rest.addresses === undefined && rest.routes === undefined) return;
  addLink(draft, { kind: "ethernets", name, input }, rest);
}

/** With `interface` they are of that link, else of the machine. */
function addNameserver(input: Input, draft: SpecDraft, made: Made): void {
  const target: { nameservers?: string[]; search?: string[] } = {};
  readKeys(input, target, {
    type: (each) => each.mark("translated"),
    address: (each, to) => addNameServers(to, nameServersIn(each)),
    search: (each, to) => addSearch(to, wordsIn(each)),
    interface: (each) => each.text(),
  });
  const name = input.get("interface")?.value;
  if (typeof name !== "string") {
    return addToResolver(draft, input, target.nameservers ?? [], target.search ?? []);
  }
  const link = made.get(name);
  if (link !== undefined) {
    addNameServers(link, target.nameservers ?? []);
    return addSearch(link, target.search ?? []);
  }
  input.unsupported(
    kindOf(draft, name) === undefined
      ? {
          code: "network/unsupported",
          message: "these name servers are for an interface that is not translated",
          hint: "say them under `firstlight: resolver`",
        }
      : {
          code: "network/overridden",
          message: "the user-data describes this interface, and that counts",
          hint: "say them there, under `nameservers` of the interface",
        },
  );
}

function addToResolver(
  draft: SpecDraft,
  input: Input,
  nameservers: readonly string[],
  search: readonly string[],
): void {
  if (nameservers.length + search.length === 0) return;
  const resolver = draft.spec.resolver ?? {};
  addNameServers(resolver, nameservers);
  addSearch(resolver, search);
  draft.spec.resolver = resolver;
  draft.origin(["resolver"], input);
}

/** A route that names no interface is that one's whose network holds its gateway. */
function addGlobalRoute(input: Input, made: Made): void {
  const route = readRoute(input);
  if (route === undefined) return;
  const { via } = route;
  const links = [...made.values()];
  const link =
    via === undefined
      ? undefined
      : links.find(({ addresses = [] }) => addresses.some((each) => holds(each, via)));
  if (link !== undefined) return addRoute(link, route);
  input.unsupported({
    code: "network/unsupported",
    message: "no interface here has the network of this route's gateway",
    hint: "write the route under `routes` of a subnet",
  });
}
