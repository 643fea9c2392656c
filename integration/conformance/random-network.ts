import { randomFrom } from "#core/random-from.ts";
import type { Network } from "#generated/provisioner/spec/v1.ts";
import { everyManagedNetwork } from "#provisioner/render/every-managed-network.ts";
import { everyNetwork } from "#provisioner/render/every-network.ts";

type Values = { [key: string]: unknown };

const bondModes = [
  ...["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad"],
  ...["balance-tlb", "balance-alb"],
];
const tunnels = ["gre", "gretap", "ip6gre", "ip6gretap", "ipip", "ipip6", "ip6ip6", "sit", "vti"];

/** What is said of devices alone, and not of interfaces of other kinds. */
const ofDevices = ["match", "setName", "wakeOnLan", "offload", "infinibandMode"];

/**
 * A network that a person would not write: each kind of interface with some of all settings that there
 * are, whether they fit each other or not. The same for the same seed.
 */
export function randomNetwork(seed: number): Network {
  const random = randomFrom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const some = (values: Values, chance = 0.4): Values =>
    Object.fromEntries(Object.entries(values).filter(() => random() < chance));
  const whole = (): Values => structuredClone(pick([everyNetwork, everyManagedNetwork])) as Values;
  const links = (kind: string): readonly Values[] =>
    Object.values((whole()[kind] ?? {}) as Values) as Values[];
  const settings = (): Values => {
    const said = Object.assign({}, some(pick(links("ethernets"))), some(pick(links("ethernets"))));
    for (const key of ofDevices) delete said[key];
    return some(
      { ...said, acceptRa: random() < 0.5, linkLocal: pick([[], ["ipv4"], ["ipv6"]]) },
      0.8,
    );
  };
  const device = (): Values => ({
    ...some(Object.fromEntries(ofDevices.map((key) => [key, pick(links("ethernets"))[key]])), 0.3),
    ...settings(),
  });
  const parameters = (kind: string, more: Values): Values => ({
    ...settings(),
    interfaces: pick([[], ["a"], ["eth7"]]),
    parameters: { ...some(pick(links(kind))["parameters"] as Values, 0.5), ...more },
  });
  const tunnel = (): Values => {
    const mode = pick(tunnels);
    const [local, remote] =
      mode.includes("6") && mode !== "sit"
        ? ["2001:db8::1", "2001:db8::2"]
        : ["192.0.2.1", "192.0.2.2"];
    return {
      ...settings(),
      mode,
      ...some({ local, remote, ttl: 64, inputKey: "1", outputKey: "2" }, 0.7),
    };
  };
  const network = {
    ethernets: { a: named(device(), "a9"), b: named(device(), "b9") },
    wifis: { w: { ...settings(), accessPoints: pick(links("wifis"))["accessPoints"] } },
    dummies: { d: settings() },
    veths: { v: { ...settings(), peer: "v1" } },
    vrfs: { r: { ...settings(), table: 7 } },
    vlans: { n: { ...settings(), id: 7, link: pick(["b", "eth8", "d"]) } },
    tunnels: {
      t: tunnel(),
      x: {
        ...settings(),
        ...pick(links("tunnels").filter(({ mode }) => mode === "vxlan")),
        link: "b",
      },
      g: { ...settings(), ...pick(links("tunnels").filter(({ mode }) => mode === "wireguard")) },
    },
    ...pick([
      { bonds: { o: parameters("bonds", { mode: pick(bondModes) }) } },
      { bridges: { o: parameters("bridges", { stp: random() < 0.5 }) } },
    ]),
  };
  return clean(network) as Network;
}

/** A device that is to have a name has one of its own. */
function named(device: Values, setName: string): Values {
  return "setName" in device ? { ...device, setName } : device;
}

/** Without what is said of interfaces that are none of a bond's or a bridge's. */
function clean(network: Values): Values {
  for (const kind of ["bonds", "bridges"]) {
    for (const link of Object.values((network[kind] ?? {}) as Values) as Values[]) {
      const said = (link["parameters"] ?? {}) as Values;
      const [member = "none"] = link["interfaces"] as string[];
      if ("primary" in said) said["primary"] = member;
      if (member === "none") delete said["primary"];
      for (const key of ["pathCost", "portPriority"])
        if (key in said) said[key] = member === "none" ? {} : { [member]: 7 };
    }
  }
  return network;
}
