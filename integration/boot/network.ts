import { readdirSync } from "node:fs";
import type { Argv } from "../nix-machine.ts";
import { ask, isStale, onHost, type Scope } from "./host.ts";

/** The network between a machine and what surrounds it. Nothing of it is connected to this host. */
export const lan = {
  /** Of the surroundings: the broker, the way to everywhere else. */
  gateway: "10.99.0.1",
  /** That seeds give the machine. */
  machine: "10.99.0.2",
  /** Hardware address of the machine's card. */
  card: "02:00:0a:63:00:02",
  /** Where clouds serve metadata. */
  metadata: "169.254.169.254",
} as const;

/** A second network, where nobody has an address of IPv4. */
export const six = {
  gateway: "2001:db8:99::1",
  /** That seeds give the machine. */
  machine: "2001:db8:99::2",
  /** Hardware address of the machine's card in it. */
  card: "02:00:0a:63:00:06",
  /** What its router gives machines an address of, where there is one. */
  prefix: "2001:db8:99::",
  /** Where EC2 serves metadata. */
  metadata: "fd00:ec2::254",
} as const;

/** A network that a machine has a card in: {@link lan}, or {@link six}. */
export type Card = "lan" | "six";

/** Two network namespaces: what is around the machine, and what a container joins. */
export interface LabNetwork {
  /** The argv that runs `argv` in the surroundings. It ends with the process that starts it. */
  outside(argv: Argv): Argv;
  /** Path of the namespace for a container. */
  readonly machineNamespace: string;
  /** Network cards without any address for the container, in place of those before. */
  plug(cards: readonly Card[]): Promise<void>;
  /** Makes a tap for a virtual machine that is run outside; its name. */
  tap(): Promise<string>;
}

const prefix = "firstlight-";
const bridge = "lan0";
export const sixBridge = "lan6";
/** The ends of a cable: outside, and the card of a container. */
const cables = {
  lan: { port: "port0", bridge, name: "host0", address: lan.card },
  six: { port: "port6", bridge: sixBridge, name: "host6", address: six.card },
} as const;

/** Makes the namespaces; they go with the test. */
export async function labNetwork(t: Scope): Promise<LabNetwork> {
  await removeStale();
  const [around, machine] = [`${prefix}${process.pid}-around`, `${prefix}${process.pid}-machine`];
  for (const name of [around, machine]) {
    await ip("netns", "add", name);
    t.teardown(() => ip("netns", "del", name).then(() => {}));
  }
  await ip("-n", around, "link", "set", "lo", "up");
  await ip("-n", around, "link", "add", bridge, "type", "bridge");
  await ip("-n", around, "addr", "add", `${lan.gateway}/24`, "dev", bridge);
  // On the link: machines may have an address of it alone.
  await ip("-n", around, "addr", "add", `${lan.metadata}/16`, "dev", bridge);
  await ip("-n", around, "link", "set", bridge, "up");
  await ip("-n", around, "link", "add", sixBridge, "type", "bridge");
  for (const address of [`${six.gateway}/64`, `${six.metadata}/128`])
    await ip("-n", around, "addr", "add", address, "dev", sixBridge, "nodad");
  await ip("-n", around, "link", "set", sixBridge, "up");
  for (const address of [lan.metadata, six.metadata]) await checkMetadataStays(around, address);
  return {
    outside: (argv) => [...diesWithUs, "ip", "netns", "exec", around, ...argv],
    machineNamespace: `/run/netns/${machine}`,
    async plug(cards) {
      for (const card of cards) {
        const { port, bridge, name, address } = cables[card];
        await ip("-n", around, "link", "del", port).catch(() => {}); // there was none yet
        const peer = ["peer", "name", name, "address", address, "netns", machine];
        await ip("-n", around, "link", "add", port, "type", "veth", ...peer);
        await ip("-n", around, "link", "set", port, "master", bridge, "up");
      }
    },
    async tap() {
      const name = "tap0";
      await ip("-n", around, "tuntap", "add", "dev", name, "mode", "tap");
      await ip("-n", around, "link", "set", name, "master", bridge, "up");
      return name;
    },
  };
}

/** For what is spawned: its end comes with ours, however that comes. */
export const diesWithUs = ["setpriv", "--pdeathsig", "KILL"] as const;

/** A request for metadata that left by a real card would be answered by this host's own cloud. */
export async function checkMetadataStays(
  namespace: string,
  address: string = lan.metadata,
): Promise<void> {
  const route = await ip("-n", namespace, "route", "get", address);
  if (route.startsWith("local ")) return;
  throw new Error(`${address} would leave the network of the test: ${route.trim()}`);
}

/** Namespaces of tests that were killed; several labs may open at once and come upon the same. */
async function removeStale(): Promise<void> {
  for (const name of namespaces()) {
    if (!isStale(name, prefix)) continue;
    const { code, stderr } = await ask(["ip", "netns", "del", name]);
    if (code !== 0 && namespaces().includes(name)) throw new Error(`${name}: ${stderr}`);
  }
}

function namespaces(): readonly string[] {
  try {
    return readdirSync("/run/netns");
  } catch {
    return []; // none was ever made
  }
}

function ip(...args: readonly string[]): Promise<string> {
  return onHost(["ip", ...args]);
}
