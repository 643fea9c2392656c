import type { Input } from "#provisioner/userdata/input.ts";
import { refuse } from "#provisioner/userdata/network-parts.ts";

/** A route of the converted document; `to` may be `default`. */
export interface Route {
  readonly to: string;
  readonly via?: string;
}

/** A physical interface, and what the networks on it add. */
export interface Link {
  /** Its name in the converted document. */
  readonly key: string;
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

/** Every link by its id. */
export interface Links {
  readonly physical: ReadonlyMap<string, Link>;
  /** Ids of bonds, VLANs and the members of bonds: named in findings, not translated. */
  readonly untranslated: ReadonlySet<string>;
}

/** Types of interfaces that are plain ones to the guest, whatever the host makes them of. */
const physicalTypes: ReadonlySet<unknown> = new Set([
  ...[null, "phy", "ethernet", "bridge", "ovs", "tap", "vif", "vhostuser", "dvs", "hyperv"],
  ...["hw_veb", "bgpovs", "cascading"],
]);

/**
 * The `links` of network_data.json. Bonds and VLANs, which the network config does not take yet,
 * have a warning each.
 */
export function readLinks(inputs: readonly Input[]): Links {
  const untranslated = new Set<string>();
  const plain: { readonly id: string; readonly input: Input }[] = [];
  const seen = new Set<string>();
  for (const input of inputs) {
    const id = readId(input, seen);
    if (id === undefined) continue;
    const type = input.get("type")?.value;
    if (type === "bond" || type === "vlan") {
      untranslated.add(id);
      for (const member of memberIds(input)) untranslated.add(member);
      refuseVirtual(input, type);
    } else plain.push({ id, input });
  }
  const physical = new Map<string, Link>();
  const keys = new Set(seen);
  for (const [index, { id, input }] of plain.entries()) {
    if (untranslated.has(id)) input.mark("unsupported");
    else {
      const link = readPhysical(input, isKey(id) ? id : freeKey(index, keys));
      if (link !== undefined) physical.set(id, link);
    }
  }
  return { physical, untranslated };
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
    if (input.get("id")?.value === undefined) refuse(input, "a link lacks `id`");
    return undefined;
  }
  if (seen.has(id)) return refuse(input, "a link of this id stands above already");
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
    return refuse(input, "a link lacks `ethernet_mac_address`, so that it cannot be found");
  }
  return {
    ...{ key, mac, name, mtu, dhcp4: false, dhcp6: false, acceptRa: undefined, hasNetwork: false },
    ...{ addresses: new Set(), routes: new Map(), nameservers: new Set(), search: new Set() },
  };
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
    : refuse(input, "expected a MAC address such as 52:54:00:12:34:56");
}

function readMtu(input: Input | undefined): number | undefined {
  const mtu = input?.integer();
  if (input === undefined || mtu === undefined || (mtu >= 68 && mtu <= 65_535)) return mtu;
  return refuse(input, "expected an MTU of 68 to 65535 bytes");
}

function readName(input: Input | undefined): string | undefined {
  const name = input?.text();
  if (input === undefined || name === undefined) return undefined;
  return /^[A-Za-z0-9_.-]{1,15}$/.test(name)
    ? name
    : refuse(input, "expected a name of at most 15 letters, digits, `_`, `.` and `-`");
}

function refuseVirtual(input: Input, type: "bond" | "vlan"): void {
  const members = type === "bond" ? " and the links in it are left alone" : " is left alone";
  input.unsupported({
    code: "network/unsupported",
    message: `a ${type} is not translated yet: it${members}`,
    hint: "say it under `firstlight: options` with systemd.network",
  });
}

function memberIds(input: Input): readonly string[] {
  const members = input.get("bond_links")?.value;
  return Array.isArray(members) ? members.filter((id) => typeof id === "string") : [];
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
