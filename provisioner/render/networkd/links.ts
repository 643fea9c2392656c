import type { Ethernet, LinkSettings, Network } from "#generated/provisioner/spec/v1.ts";

/** The keys of the spec's network, in the order in which their files are written. */
export const linkKinds = [
  "ethernets",
  "wifis",
  "dummies",
  "veths",
  "bonds",
  "bridges",
  "vlans",
  "vrfs",
  "tunnels",
] as const satisfies readonly (keyof Omit<Network, "renderer">)[];

/** One of the kinds of interfaces. */
export type LinkKind = (typeof linkKinds)[number];

/** An interface of the spec, and what it is to others. */
export interface Link {
  /** Its name in the spec; that of the kernel for what is no device. */
  readonly name: string;
  /** Path in the spec. */
  readonly from: readonly string[];
  readonly settings: LinkSettings;
  /** How its device is found and called, where it has one. */
  readonly device: Device | undefined;
  readonly ties: Ties;
}

/** What is said of a device beside the settings of its network. */
export type Device = Pick<
  Ethernet,
  "match" | "setName" | "wakeOnLan" | "offload" | "infinibandMode"
>;

/** What an interface is part of, and what is on it. */
export interface Ties {
  bond?: string;
  isPrimary?: boolean;
  bridge?: string;
  cost?: number | undefined;
  priority?: number | undefined;
  vrf?: string;
  readonly vlans: string[];
  readonly vxlans: string[];
}

/**
 * Every interface of a network with its ties. One that others name and nothing describes is there
 * too: it is found by that name and has no settings of its own.
 */
export function linksOf(network: Network): readonly Link[] {
  const links = new Map<string, Link>();
  for (const kind of linkKinds) {
    for (const [name, settings] of byName(network[kind])) {
      const device = kind === "ethernets" || kind === "wifis" ? (settings as Device) : undefined;
      const from = ["network", kind, name];
      links.set(name, { name, from, settings, device, ties: { vlans: [], vxlans: [] } });
    }
  }
  const tie = (reference: string, from: readonly string[]) => {
    const known = links.get(reference) ?? linkNamed([...links.values()], reference);
    if (known !== undefined) return known.ties;
    const implied = { name: reference, from, settings: {}, device: {} };
    const link: Link = { ...implied, ties: { vlans: [], vxlans: [] } };
    links.set(reference, link);
    return link.ties;
  };
  tieMembers(network, tie);
  return [...links.values()];
}

type Tie = (reference: string, from: readonly string[]) => Ties;

function tieMembers(network: Network, tie: Tie): void {
  for (const [name, { interfaces = [], parameters = {} }] of byName(network.bonds)) {
    for (const member of interfaces) {
      const ties = tie(member, ["network", "bonds", name]);
      ties.bond = name;
      if (member === parameters.primary) ties.isPrimary = true;
    }
  }
  for (const [name, bridge] of byName(network.bridges)) {
    const { pathCost = {}, portPriority = {} } = bridge.parameters ?? {};
    for (const member of bridge.interfaces ?? []) {
      const ties = tie(member, ["network", "bridges", name]);
      ties.bridge = name;
      ties.cost = ownValue(pathCost, member);
      ties.priority = ownValue(portPriority, member);
    }
  }
  for (const [name, { interfaces = [] }] of byName(network.vrfs)) {
    for (const member of interfaces) tie(member, ["network", "vrfs", name]).vrf = name;
  }
  for (const [name, { link }] of byName(network.vlans)) {
    tie(link, ["network", "vlans", name]).vlans.push(name);
  }
  for (const [name, { mode, link }] of byName(network.tunnels)) {
    if (mode === "vxlan" && link !== undefined)
      tie(link, ["network", "tunnels", name]).vxlans.push(name);
  }
}

/** By its name in the spec, else by the name that it is to have or is found by. */
export function linkNamed(links: readonly Link[], reference: string): Link | undefined {
  return (
    links.find(({ name }) => name === reference) ??
    links.find(({ device }) => device?.setName === reference || device?.match?.name === reference)
  );
}

/**
 * Tells what the kernel calls an interface that another names, where that is known before: of a device that is
 * found by its address, its driver or a pattern it is not, unless it is given a name.
 */
export function knownNames(network: Network): (reference: string) => string | undefined {
  const links = linksOf(network);
  return (reference) => {
    const { name, device } = linkNamed(links, reference) ?? { name: reference, device: undefined };
    const { match, setName } = device ?? {};
    if (setName !== undefined) return setName;
    if (match?.name !== undefined) return /[*?[ ]/.test(match.name) ? undefined : match.name;
    return (match?.mac ?? match?.driver) === undefined ? name : undefined;
  };
}

/** So that the order of a document is nothing to the files. */
function byName<T>(
  links: { readonly [name: string]: T } | undefined,
): readonly (readonly [string, T])[] {
  return Object.entries(links ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

function ownValue(values: Readonly<Record<string, number>>, key: string): number | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}
