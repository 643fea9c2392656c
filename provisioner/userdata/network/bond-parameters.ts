import type { Bond, Bridge, LinkSettings } from "#generated/provisioner/spec/v1.ts";
import type { Input } from "../input.ts";
import { refuse } from "../network-parts.ts";
import { getOwn, setOwn } from "../own-key.ts";
import { bondParameterReaders, bridgeParameterReaders } from "./bond-keys.ts";
import { flag, type KeyReaders, left, macOf, passedOver, readKeys, setterFor } from "./keys.ts";

type BondParameters = NonNullable<Bond["parameters"]>;
type BridgeParameters = NonNullable<Bridge["parameters"]>;

/** The kernel's names of a bond's options, and those of version 2. */
const bondNames: Readonly<Record<string, string>> = {
  mode: "mode",
  miimon: "mii-monitor-interval",
  lacp_rate: "lacp-rate",
  min_links: "min-links",
  xmit_hash_policy: "transmit-hash-policy",
  ad_select: "ad-select",
  ad_actor_system: "ad-actor-system",
  ad_actor_sys_prio: "ad-actor-system-priority",
  ad_user_port_key: "ad-user-port-key",
  all_slaves_active: "all-slaves-active",
  arp_interval: "arp-interval",
  arp_ip_target: "arp-ip-targets",
  arp_validate: "arp-validate",
  arp_all_targets: "arp-all-targets",
  updelay: "up-delay",
  downdelay: "down-delay",
  fail_over_mac: "fail-over-mac-policy",
  num_grat_arp: "gratuitous-arp",
  num_unsol_na: "gratuitous-arp",
  packets_per_slave: "packets-per-slave",
  primary: "primary",
  primary_reselect: "primary-reselect-policy",
  resend_igmp: "resend-igmp",
  lp_interval: "learn-packet-interval",
  learn_packet_interval: "learn-packet-interval",
};

/** An option of a bond by the kernel's name: what version 2 calls it, and whether a value fits it. */
export function bondOption(
  name: string,
): { readonly key: string; readonly fits: (value: Input) => boolean } | undefined {
  const key = getOwn(bondNames, name);
  const read = key === undefined ? undefined : getOwn(bondParameterReaders, key);
  if (key === undefined || read === undefined) return undefined;
  return {
    key,
    fits: (value) => {
      const parameters: BondParameters = {};
      read(value, parameters);
      return Object.values(parameters).some((each) => each !== undefined);
    },
  };
}

const ofBond = setterFor<BondParameters>();
const notNetworkd = left("networkd does not set this option of a bond", "leave it out");

/** Reads `params` of a bond of version 1, whose names have `-` or `_` between their words. */
export function readBondParameters(input: Input, bond: Bond): void {
  bond.parameters ??= {};
  const known: KeyReaders<BondParameters> = {
    ...Object.fromEntries(
      Object.entries(bondNames).map(([name, key]) => [
        name,
        getOwn(bondParameterReaders, key) ?? notNetworkd,
      ]),
    ),
    tlb_dynamic_lb: ofBond("dynamicTransmitLoadBalancing", flag),
    slaves: passedOver("the interfaces of a bond are those of `bond_interfaces`"),
    ...Object.fromEntries(
      [
        ...["active_slave", "ad_actor_key", "ad_aggregator", "ad_num_ports", "ad_partner_key"],
        ...["ad_partner_mac", "mii_status", "peer_notif_delay", "queue_id", "use_carrier"],
      ].map((name) => [name, notNetworkd]),
    ),
  };
  readKeys(input, bond.parameters, spelled(input, known, "bond"));
}

const interfaceNumbers = /^(\S+)\s+([0-9]+)$/;
const ofBridge = setterFor<BridgeParameters>();

/** Reads `params` of a bridge of version 1, as bridge-utils-interfaces(5) has them. */
export function readBridgeParameters(input: Input, bridge: Bridge): void {
  bridge.parameters ??= {};
  const of = (key: string) => getOwn(bridgeParameterReaders, key) ?? notNetworkd;
  const known: KeyReaders<BridgeParameters> = {
    ageing: of("ageing-time"),
    bridgeprio: of("priority"),
    fd: of("forward-delay"),
    hello: of("hello-time"),
    maxage: of("max-age"),
    stp: of("stp"),
    pathcost: ofBridge("pathCost", (each) => numbersOf(each, 65_535)),
    portprio: ofBridge("portPriority", (each) => numbersOf(each, 63)),
    hw: (each) => {
      const mac = macOf(each);
      if (mac !== undefined) (bridge as LinkSettings).mac = mac;
    },
    ports: (each) => {
      const names = each.oneOrMoreTexts().flatMap((text) => text.split(/\s+/).filter(Boolean));
      bridge.interfaces = [...new Set([...(bridge.interfaces ?? []), ...names])];
    },
    gcint: passedOver("the kernel has no such option any more"),
    maxwait: passedOver("a boot waits for interfaces as `optional` says"),
    waitport: passedOver("a boot waits for interfaces as `optional` says"),
  };
  readKeys(input, bridge.parameters, spelled(input, known, "bridge"));
}

/** Readers for the keys as a document spells them: `bond-mode` and `bond_mode` are one. */
function spelled<T>(input: Input, known: KeyReaders<T>, prefix: string): KeyReaders<T> {
  const written = input.entries().flatMap(([key]) => {
    const name = key.replaceAll("-", "_").replace(`${prefix}_`, "");
    const read = key.replaceAll("-", "_").startsWith(`${prefix}_`)
      ? getOwn(known, name)
      : undefined;
    return read === undefined ? [] : [[key, read] as const];
  });
  const usual = Object.entries(known).map(([name, read]) => {
    const key = prefix === "bond" ? `bond-${name}` : `${prefix}_${name}`;
    return [key, read] as const;
  });
  return Object.fromEntries([...usual, ...written]);
}

/** `eth0 75`, one or more, or a mapping: numbers of interfaces. */
function numbersOf(input: Input, most: number): Record<string, number> | undefined {
  const numbers: Record<string, number> = {};
  const put = (from: Input, name: string | undefined, number: number) => {
    if (name === undefined || !Number.isSafeInteger(number) || number > most)
      refuse(
        from,
        `expected an interface and a number of at most ${most}, such as eth0 50`,
        "write the name of a member and its number, as `[eth0 50, eth1 10]`",
      );
    else setOwn(numbers, name, number);
  };
  if (input.isMapping()) {
    for (const [name, value] of input.entries()) {
      const number = value.integer();
      if (number !== undefined) put(value, name, number);
    }
    return numbers;
  }
  for (const item of input.isList() ? input.items() : [input]) {
    const text = item.text();
    const [, name, number] = interfaceNumbers.exec(text?.trim() ?? "") ?? [];
    if (text !== undefined) put(item, name, Number(number));
  }
  return numbers;
}
