import type {
  LinkSettings,
  Network,
  Tunnel,
  Veth,
  Vlan,
  Vrf,
} from "#generated/provisioner/spec/v1.ts";
import type { SpecDraft } from "./draft.ts";
import type { Input } from "./input.ts";
import { bondReaders, bridgeReaders } from "./network/bond-keys.ts";
import { deviceReaders, findingReaders, interfaceNameOf } from "./network/device-keys.ts";
import { putGateways } from "./network/gateways.ts";
import {
  integerOf,
  type KeyReaders,
  left,
  linkNameOf,
  namesOf,
  readKeys,
  setterFor,
} from "./network/keys.ts";
import { linkReaders, shareMetric } from "./network/link-keys.ts";
import { readRenderer } from "./network/renderer.ts";
import { tunnelModeOf, tunnelReaders } from "./network/tunnel-keys.ts";
import { wifiReaders } from "./network/wifi-keys.ts";
import { addLink, type LinkKind, readAddress, refuse } from "./network-parts.ts";

type LinkOf<K extends LinkKind> = NonNullable<Network[K]>[string];

const setVlan = setterFor<Vlan>();
const setVrf = setterFor<Vrf>();
const byOptions = "say it under `firstlight: options`";

/** Version 2, which is netplan's format (https://netplan.readthedocs.io), with all of its interfaces. */
export function fillFromVersion2(network: Input, draft: SpecDraft): void {
  const renderer = network.get("renderer");
  if (renderer !== undefined) readRenderer(renderer, draft);
  readKeys(network, draft, {
    version: (input) => input.mark("translated"),
    renderer: () => undefined, // read before: what is said of one interface comes after it
    ethernets: links("ethernets", () => ({ ...linkReaders, ...deviceReaders })),
    wifis: links("wifis", (name) => ({
      ...linkReaders,
      ...findingReaders,
      ...wifiReaders(name, draft),
    })),
    bonds: links("bonds", () => ({ ...linkReaders, ...bondReaders })),
    bridges: links("bridges", () => ({ ...linkReaders, ...bridgeReaders })),
    vlans: links("vlans", () => ({ ...linkReaders, ...vlanReaders })),
    vrfs: links("vrfs", () => ({ ...linkReaders, ...vrfReaders })),
    "virtual-ethernets": links("veths", () => ({ ...linkReaders, ...vethReaders })),
    "dummy-devices": links("dummies", () => linkReaders),
    tunnels: (input) => {
      for (const [name, inner] of interfaces(input, draft)) addTunnel(inner, name, draft);
    },
    modems: left("modems are not translated", `${byOptions} with networking.modemmanager`),
    "nm-devices": left(
      "connections in NetworkManager's own words are not translated",
      `${byOptions} with networking.networkmanager`,
    ),
    openvswitch: left("Open vSwitch is not translated", `${byOptions} with virtualisation.vswitch`),
  });
}

const vlanReaders: KeyReaders<Vlan> = {
  id: setVlan("id", integerOf(0, 4094)),
  link: setVlan("link", linkNameOf),
};

const vethReaders: KeyReaders<Veth> = {
  peer: setterFor<Veth>()("peer", interfaceNameOf),
};

const vrfReaders: KeyReaders<Vrf> = {
  table: setVrf("table", integerOf(1, 4_294_967_295)),
  interfaces: setVrf("interfaces", namesOf),
};

/** Reads each interface of one kind; `readersOf` says what its keys mean. */
function links<K extends Exclude<LinkKind, "tunnels">>(
  kind: K,
  readersOf: (name: string) => KeyReaders<LinkOf<K>>,
) {
  return (input: Input, draft: SpecDraft): void => {
    for (const [name, inner] of interfaces(input, draft)) {
      const link = {} as LinkOf<K>;
      const renderer = (said: Input) => readRenderer(said, draft);
      if (!readLink(inner, link, { ...readersOf(name), renderer })) continue;
      if (isWhole(kind, link, inner)) addLink(draft, { kind, name, input: inner }, link);
    }
  };
}

function entries(input: Input): readonly (readonly [string, Input])[] {
  if (input.value === null) input.mark("translated");
  else if (!input.isMapping()) input.expected("a mapping of interfaces");
  else if (input.entries().length === 0) input.mark("translated");
  return input.entries();
}

/** Without `renderer`, which may stand among them: no interface is a word. */
function interfaces(input: Input, draft: SpecDraft): readonly (readonly [string, Input])[] {
  return entries(input).filter(([name, inner]) => {
    if (name !== "renderer" || typeof inner.value !== "string") return true;
    readRenderer(inner, draft);
    return false;
  });
}

/** Whether there was something that could be read. */
function readLink<T extends LinkSettings>(input: Input, link: T, readers: KeyReaders<T>): boolean {
  readKeys(input, link, readers);
  if (input.value !== null && !input.isMapping()) return false;
  const gateways = ["gateway4", "gateway6"].flatMap((key) => readAddress(input.get(key)) ?? []);
  putGateways(link, gateways);
  shareMetric(link);
  return true;
}

/** Whether an interface says what it cannot be made without. */
function isWhole(kind: LinkKind, link: object, input: Input): boolean {
  if (kind === "veths") return has(link, ["peer"], "a virtual interface", input);
  if (kind === "vlans") return has(link, ["id", "link"], "a VLAN", input);
  if (kind !== "vrfs") return true;
  if (!has(link, ["table"], "a VRF", input)) return false;
  const vrf = link as Vrf;
  for (const each of [...(vrf.routes ?? []), ...(vrf.routingPolicy ?? [])])
    each.table ??= vrf.table;
  return true;
}

/** How what an interface cannot be made without is written. */
const missingExamples: Readonly<Record<string, string>> = {
  id: "id: 100",
  link: "link: eth0",
  peer: "peer: veth1",
  table: "table: 100",
};

function has(link: object, keys: readonly string[], what: string, input: Input): boolean {
  const missing = keys.find((key) => !(key in link));
  if (missing === undefined) return true;
  // what is there and does not fit has its finding
  if (input.get(missing) === undefined)
    refuse(
      input,
      `${what} lacks \`${missing}\``,
      `write \`${missingExamples[missing] ?? missing}\``,
    );
  else input.mark("unsupported");
  return false;
}

function addTunnel(input: Input, name: string, draft: SpecDraft): void {
  if (!input.isMapping()) return input.expected("a mapping");
  const modeInput = input.get("mode");
  const mode = modeInput === undefined ? undefined : tunnelModeOf(modeInput);
  if (mode === undefined) {
    if (modeInput === undefined)
      refuse(input, "a tunnel lacks `mode`", "say what it is, as `mode: wireguard`");
    return input.mark("unsupported");
  }
  const tunnel: Tunnel = { mode };
  const renderer = (said: Input) => readRenderer(said, draft);
  readLink(input, tunnel, { ...linkReaders, ...tunnelReaders(name, mode, draft), renderer });
  const needed = mode === "wireguard" ? ["privateKey"] : mode === "vxlan" ? ["id"] : [];
  if (needed.every((key) => key in tunnel)) {
    addLink(draft, { kind: "tunnels", name, input }, tunnel);
    if (needed.length === 0) nameClosed(modeInput ?? input, mode);
  } else if (mode === "wireguard") {
    const privateOf = (key: Input | undefined) => (key?.isMapping() ? key.get("private") : key);
    if (["key", "keys"].every((key) => privateOf(input.get(key)) === undefined))
      refuse(
        input,
        "a tunnel of WireGuard lacks its `key`",
        "write the private key that `wg genkey` makes, as `key: …`",
      );
    else input.mark("unsupported");
  } else has(tunnel, needed, "a VXLAN", input);
}

/** These have no port: packets of the other end pass the firewall once this end has sent one. */
function nameClosed(input: Input, mode: string): void {
  input.add("note", {
    code: "network/closed",
    message: `the firewall lets ${mode} in once this end has sent something, and not before`,
    hint: "where the other end begins, let its protocol in by networking.firewall.extraInputRules (nftables) or extraCommands, under `firstlight: options`",
  });
}
