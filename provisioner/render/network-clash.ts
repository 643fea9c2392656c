import { shownKey } from "#core/finding.ts";
import { wordHint } from "#core/word-hint.ts";
import type { Network } from "#generated/provisioner/spec/v1.ts";
import { addFinding, type Concern } from "./assignment.ts";
import { linkKinds } from "./networkd/links.ts";
import { isGroup } from "./networkd/netdevs.ts";

/** Names interfaces that cannot be what the spec says of them all at once; each is an error. */
export function checkClashes(concern: Concern, network: Network): void {
  checkNames(concern, network);
  checkMembers(concern, network);
  for (const [name, tunnel] of Object.entries(network.tunnels ?? {})) {
    const key = { wireguard: "privateKey", vxlan: "id" }[tunnel.mode as string];
    if (key !== undefined && !Object.hasOwn(tunnel, key))
      clash(
        concern,
        ["tunnels", name],
        `a tunnel of the mode ${tunnel.mode} lacks \`${key}\``,
        `add \`${key}\` to it`,
      );
    if (tunnel.mode === "vxlan" && isGroup(tunnel.remote) && tunnel.link === undefined)
      clash(
        concern,
        ["tunnels", name, "remote"],
        "a VXLAN whose other end is a group of addresses lacks `link`, the interface to reach it by",
        "add `link` with the name of that interface",
      );
  }
}

/** Files of one name would take each other's place, and devices of one name cannot be. */
function checkNames(concern: Concern, network: Network): void {
  const taken = new Map<string, string>();
  for (const kind of linkKinds) {
    for (const [name, link] of Object.entries(network[kind] ?? {})) {
      const { setName = name } = link as { readonly setName?: string };
      for (const each of new Set([name, setName])) {
        const before = taken.get(each);
        if (before !== undefined)
          clash(
            concern,
            [kind, name],
            `\`${each}\` is the name of another interface, in \`${before}\``,
            "give each a name of its own",
          );
        taken.set(each, kind);
      }
    }
  }
}

/** An interface has one master: a bond, a bridge or a VRF. */
function checkMembers(concern: Concern, network: Network): void {
  const masters = new Map<string, string>();
  for (const kind of ["bonds", "bridges", "vrfs"] as const) {
    for (const [name, { interfaces = [] }] of Object.entries(network[kind] ?? {})) {
      for (const [index, member] of interfaces.entries()) {
        const path = [kind, name, "interfaces", String(index)];
        const before = masters.get(member);
        if (member === name)
          clash(concern, path, "an interface is no part of itself", "remove it from `interfaces`");
        else if (before !== undefined && before !== name)
          clash(
            concern,
            path,
            `\`${member}\` is part of \`${before}\` already`,
            "an interface is part of one other: remove it from one of them",
          );
        masters.set(member, name);
      }
    }
  }
  checkParameters(concern, network);
  for (const [name, { link }] of Object.entries(network.vlans ?? {})) {
    if (link === name)
      clash(
        concern,
        ["vlans", name, "link"],
        "an interface is not on itself",
        "name the interface below it, such as `link: eth0`",
      );
  }
}

/** What is said of an interface that is none of theirs would say nothing. */
function checkParameters(concern: Concern, network: Network): void {
  for (const [name, { interfaces = [], parameters = {} }] of Object.entries(network.bonds ?? {})) {
    const { primary } = parameters;
    if (primary !== undefined && !interfaces.includes(primary))
      clash(
        concern,
        ["bonds", name, "parameters", "primary"],
        `\`${primary}\` is none of its interfaces`,
        hintOfMember(primary, interfaces),
      );
  }
  for (const [name, { interfaces = [], parameters = {} }] of Object.entries(
    network.bridges ?? {},
  )) {
    for (const key of ["pathCost", "portPriority"] as const) {
      for (const port of Object.keys(parameters[key] ?? {})) {
        if (interfaces.includes(port)) continue;
        const path = ["bridges", name, "parameters", key, port];
        clash(
          concern,
          path,
          `\`${shownKey(port)}\` is none of its interfaces`,
          hintOfMember(port, interfaces),
        );
      }
    }
  }
}

function hintOfMember(name: string, interfaces: readonly string[]): string {
  if (interfaces.length === 0) return "name its interfaces under `interfaces` first";
  return wordHint(name, interfaces.map(shownKey));
}

function clash(concern: Concern, path: readonly string[], message: string, hint: string): void {
  addFinding(concern, ["network", ...path], "error", "render/network-clash", message, hint);
}
