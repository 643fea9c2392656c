import type { Json } from "#core/canonical-json.ts";
import type { Input } from "#provisioner/userdata/input.ts";
import { bondOption } from "#provisioner/userdata/network/bond-parameters.ts";
import { refuse } from "#provisioner/userdata/network-parts.ts";

/** A route of the converted document; `to` may be `default`. */
export interface Route {
  readonly to: string;
  readonly via?: string;
}

/** An interface, and what the networks on it add. */
export interface Link {
  /** Its name in the converted document. */
  readonly key: string;
  /** What it is made of, where it is no device. */
  readonly made: Made | undefined;
  readonly mac: string | undefined;
  /** The name that it is to have, or that it is found by where there is no MAC address. */
  readonly name: string | undefined;
  readonly mtu: number | undefined;
  dhcp4: boolean;
  dhcp6: boolean;
  /** Whether router advertisements are used; `undefined` where no network says so. */
  acceptRa: boolean | undefined;
  hasNetwork: boolean;
  readonly addresses: Set<string>;
  /** By what they say, so that each stands there once. */
  readonly routes: Map<string, Route>;
  readonly nameservers: Set<string>;
  readonly search: Set<string>;
}

/** A bond of other links, or a VLAN of one, by their ids. */
export type Made =
  | {
      readonly kind: "bond";
      readonly members: readonly string[];
      /** By the names of version 2. */
      readonly parameters: Readonly<Record<string, Json>>;
    }
  | { readonly kind: "vlan"; readonly parent: string; readonly number: number };

/** What to do about what the cloud says of its network, and nobody on the machine can mend. */
export const ofCloud =
  "have the cloud mend its network_data.json, or give the machine a network config";

/** Every link that is translated, by its id. */
export type Links = ReadonlyMap<string, Link>;

/** Types of interfaces that are plain ones to the guest, whatever the host makes them of. */
const physicalTypes: ReadonlySet<unknown> = new Set([
  ...[null, "phy", "ethernet", "bridge", "ovs", "tap", "vif", "vhostuser", "dvs", "hyperv"],
  ...["hw_veb", "bgpovs", "cascading"],
]);

/** The `links` of network_data.json: devices, bonds and VLANs. One that others need and lack has none of them. */
export function readLinks(inputs: readonly Input[]): Links {
  const seen = new Set<string>();
  const withId = inputs.flatMap((input) => {
    const id = readId(input, seen);
    return id === undefined ? [] : [{ id, input }];
  });
  const isMade = (input: Input) => ["bond", "vlan"].includes(input.get("type")?.scalarText() ?? "");
  const keys = new Set(withId.flatMap(({ id, input }) => (isMade(input) ? [] : [id])));
  const links = new Map<string, Link>();
  const made: { readonly id: string; readonly input: Input; readonly link: Link }[] = [];
  let plain = 0;
  for (const { id, input } of withId) {
    const type = input.get("type")?.value;
    if (type === "bond" || type === "vlan") {
      const link = type === "bond" ? readBond(input, keys) : readVlan(input, keys);
      if (link === undefined) continue;
      made.push({ id, input, link });
      links.set(id, link);
    } else {
      const link = readPhysical(input, isKey(id) ? id : freeKey(plain, keys));
      plain += 1;
      if (link !== undefined) links.set(id, link);
    }
  }
  removeLacking(made, links);
  return links;
}

/** Takes out what lacks what it is made of, until nothing does any more. */
function removeLacking(
  made: readonly { readonly id: string; readonly input: Input; readonly link: Link }[],
  links: Map<string, Link>,
): void {
  const lacking = ({ id, link }: { readonly id: string; readonly link: Link }) =>
    links.has(id) && idsIn(link).some((each) => each === id || !links.has(each));
  for (let next = made.find(lacking); next !== undefined; next = made.find(lacking)) {
    links.delete(next.id);
    next.input.unsupported({
      code: "network/unsupported",
      message: "not translated: a link that it is made of is not among the links",
      hint: "say it under `firstlight: options` with systemd.network",
    });
  }
}

function idsIn({ made }: Link): readonly string[] {
  if (made === undefined) return [];
  return made.kind === "bond" ? made.members : [made.parent];
}

/** The value under a key; nothing where null stands, which OpenStack writes for what is not set. */
export function given(input: Input, key: string): Input | undefined {
  const value = input.get(key);
  if (value?.value !== null) return value;
  value.mark("translated");
  return undefined;
}

function readId(input: Input, seen: Set<string>): string | undefined {
  const id = given(input, "id")?.text();
  if (id === undefined) {
    if (input.get("id")?.value === undefined) refuse(input, "a link lacks `id`", ofCloud);
    return undefined;
  }
  if (seen.has(id)) return refuse(input, "a link of this id stands above already", ofCloud);
  seen.add(id);
  return id;
}

function readPhysical(input: Input, key: string): Link | undefined {
  readType(input);
  const name = readName(given(input, "name"));
  const macInput = given(input, "ethernet_mac_address");
  const mac = readMac(macInput);
  const mtu = readMtu(given(input, "mtu"));
  input.get("vif_id")?.mark("translated");
  if (mac === undefined && (macInput !== undefined || name === undefined)) {
    if (macInput !== undefined) return undefined; // it has its finding
    return refuse(
      input,
      "a link lacks `ethernet_mac_address`, so that it cannot be found",
      ofCloud,
    );
  }
  return newLink({ key, mac, name, mtu, made: undefined });
}

function newLink(said: Pick<Link, "key" | "mac" | "name" | "mtu" | "made">): Link {
  return {
    ...said,
    ...{ dhcp4: false, dhcp6: false, acceptRa: undefined, hasNetwork: false },
    ...{ addresses: new Set(), routes: new Map(), nameservers: new Set(), search: new Set() },
  };
}

function readBond(input: Input, keys: Set<string>): Link | undefined {
  const members = given(input, "bond_links")?.texts() ?? [];
  if (members.length === 0) return refuse(input, "a bond lacks `bond_links`", ofCloud);
  const parameters: Record<string, Json> = {};
  for (const [name, value] of input.entries()) {
    if (!name.startsWith("bond_") || name === "bond_links" || value.value === null) continue;
    const option = bondOption(name.slice("bond_".length));
    if (option?.fits(value) === true) parameters[option.key] = value.value;
  }
  return readMade(input, keys, "ethernet_mac_address", "bond0", {
    kind: "bond",
    members,
    parameters,
  });
}

function readVlan(input: Input, keys: Set<string>): Link | undefined {
  const parent = given(input, "vlan_link")?.text();
  const numberInput = given(input, "vlan_id");
  const number = numberInput?.integer();
  if (parent === undefined || number === undefined || number > 4094)
    return refuse(input, "a VLAN lacks `vlan_link` or `vlan_id`", ofCloud);
  const made = { kind: "vlan", parent, number } as const;
  return readMade(input, keys, "vlan_mac_address", `vlan${number}`, made);
}

function readMade(
  input: Input,
  keys: Set<string>,
  macKey: string,
  usual: string,
  made: Made,
): Link {
  for (const key of ["type", "vif_id", "ethernet_mac_address"]) input.get(key)?.mark("translated");
  const name = readName(given(input, "name"));
  const mac = readMac(given(input, macKey));
  const mtu = readMtu(given(input, "mtu"));
  const key = name !== undefined && isKey(name) && !keys.has(name) ? name : freeName(usual, keys);
  keys.add(key);
  return newLink({ key, mac, name: undefined, mtu, made });
}

/** `bond0`, else `bond1`, …; `vlan7`, else `vlan7-1`, …. */
function freeName(usual: string, keys: ReadonlySet<string>): string {
  const [, word = usual, count] = /^(bond)(\d+)$/.exec(usual) ?? [];
  let name = usual;
  for (let next = 1; keys.has(name); next++) {
    name = count === undefined ? `${usual}-${next}` : `${word}${Number(count) + next}`;
  }
  return name;
}

function readType(input: Input): void {
  const type = input.get("type");
  if (type === undefined) return;
  type.mark("translated");
  if (physicalTypes.has(type.value)) return;
  type.add("warning", {
    code: "network/unsupported",
    message: "this type of link is not known; it is taken for a plain interface",
    hint: "use phy, or describe the network in the user-data",
  });
}

function readMac(input: Input | undefined): string | undefined {
  const mac = input?.text();
  if (input === undefined || mac === undefined) return undefined;
  return /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac)
    ? mac.toLowerCase()
    : refuse(input, "expected a MAC address such as 52:54:00:12:34:56", ofCloud);
}

function readMtu(input: Input | undefined): number | undefined {
  const mtu = input?.integer();
  if (input === undefined || mtu === undefined || (mtu >= 68 && mtu <= 65_535)) return mtu;
  return refuse(input, "expected an MTU of 68 to 65535 bytes", ofCloud);
}

function readName(input: Input | undefined): string | undefined {
  const name = input?.text();
  if (input === undefined || name === undefined) return undefined;
  return /^[A-Za-z0-9_.-]{1,15}$/.test(name)
    ? name
    : refuse(input, "expected a name of at most 15 letters, digits, `_`, `.` and `-`", ofCloud);
}

/** What the spec takes as the name of an interface in the document. */
function isKey(id: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(id);
}

function freeKey(index: number, keys: Set<string>): string {
  let key = `link${index}`;
  for (let next = 0; keys.has(key); next++) key = `link${index}-${next}`;
  keys.add(key);
  return key;
}
