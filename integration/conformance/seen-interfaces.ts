import type { Network } from "#generated/provisioner/spec/v1.ts";
import { type Link, linksOf } from "#provisioner/render/networkd/links.ts";
import type { SeenInterface } from "#provisioner/render/networkd/select-file.ts";

/** An interface of a network on a machine that has it, as systemd sees it one time after the other. */
export interface Sighting {
  readonly link: Link;
  readonly seen: readonly SeenInterface[];
}

/** What the kernel calls what is made of a network; one kind of tunnel stands for all. */
const kinds: Readonly<Record<string, string>> = {
  ...{ dummies: "dummy", veths: "veth", bonds: "bond", bridges: "bridge" },
  ...{ vlans: "vlan", vrfs: "vrf", tunnels: "vxlan" },
};

/**
 * What a machine has that a network is right for. A device is seen under its first name, and then with the
 * name and the address that the network gives it. What is made of devices has the address of the first.
 */
export function seenInterfaces(network: Network): readonly Sighting[] {
  const links = linksOf(network);
  const find = (reference: string | undefined) =>
    reference === undefined
      ? undefined
      : (links.find(({ name }) => name === reference) ??
        links.find(({ device }) => [device?.setName, device?.match?.name].includes(reference)));
  const ownAddress = (link: Link): string =>
    link.device?.match?.mac ??
    `02:00:00:00:00:${links.indexOf(link).toString(16).padStart(2, "0")}`;
  const address = (link: Link, without: readonly Link[] = []): string => {
    const bond = link.ties.bond === undefined ? undefined : find(link.ties.bond);
    const from = link.settings.mac === undefined ? (bond ?? find(below(network, link))) : undefined;
    if (from === undefined || without.includes(from)) return link.settings.mac ?? ownAddress(link);
    return address(from, [...without, link]);
  };
  return links.map((link) => {
    const { name, device, from } = link;
    const mac = address(link);
    if (device === undefined)
      return { link, seen: [{ name, kernelName: name, mac, kind: kinds[from[1] ?? ""] ?? "" }] };
    const { match = {}, setName } = device;
    const own = ownAddress(link);
    const isFoundElsehow = (match.mac ?? match.driver) !== undefined;
    const kernelName = fitting(match.name) ?? (isFoundElsehow ? "net7" : name);
    const driver = fitting(match.driver) ?? "virtio_net";
    const first = { name: kernelName, kernelName, mac: own, permanentMac: own, driver };
    return { link, seen: [first, { ...first, name: setName ?? kernelName, mac }] };
  });
}

/** What it is made of first, and has the address of. */
function below({ vlans, bonds, bridges }: Network, { name, device }: Link): string | undefined {
  if (device !== undefined) return undefined;
  return vlans?.[name]?.link ?? (bonds?.[name] ?? bridges?.[name])?.interfaces?.[0];
}

/** A word that a pattern fits. */
function fitting(pattern: string | undefined): string | undefined {
  return pattern?.split(" ")[0]?.replaceAll(/[*?]/g, "7");
}
