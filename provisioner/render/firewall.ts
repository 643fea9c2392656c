import type { Json } from "#core/canonical-json.ts";
import type { Network, OpenPorts, Spec } from "#generated/provisioner/spec/v1.ts";
import { attrPath } from "#provisioner/nix-language/text.ts";
import { type Concern, originOf } from "./assignment.ts";
import { knownNames } from "./networkd/links.ts";
import { isOptionPath, splitOptionName } from "./option-name.ts";

/** Of the kernel, where nobody names one (VXLAN's own is 4789). */
const usualVxlanPort = 8472;
const interfaceName = /^[A-Za-z0-9_.-]{1,15}$/;

/** A port that is to be open: the option of NixOS that it is one of, and what in the spec asks for it. */
interface Opening {
  readonly option: readonly string[];
  readonly port: number;
  readonly from: readonly string[];
}

/** Ports of one option, and what asks for the first of them. */
interface Opened {
  readonly option: readonly string[];
  readonly ports: Set<number>;
  readonly from: readonly string[];
}

/**
 * The same with every port that the spec asks to be open among its options, added to those that stand there:
 * whoever opens others by an option says nothing against these.
 */
export function withFirewall(concern: Concern): Concern {
  const byOption = new Map<string, Opened>();
  for (const { option, port, from } of openings(concern.spec)) {
    const name = attrPath(option);
    const { ports } = byOption.get(name) ?? {};
    if (ports === undefined) byOption.set(name, { option, ports: new Set([port]), from });
    else ports.add(port);
  }
  if (byOption.size === 0) return concern;
  const options = new Map(Object.entries(concern.spec.options ?? {}) as [string, Json][]);
  const names = new Map([...options.keys()].flatMap((name) => placeOf(name)));
  const origins = new Map(concern.origins);
  for (const [name, { option, ports, from }] of byOption) {
    const length = option.findIndex((_, index) => names.has(keyOf(option.slice(0, index + 1)))) + 1;
    const before = names.get(keyOf(option.slice(0, length)));
    const rest = before === undefined ? [] : option.slice(length);
    const data = before === undefined ? undefined : options.get(before);
    options.set(before ?? name, withPorts(data, rest, ports));
    const origin = originOf(concern.origins, from);
    if (before === undefined && origin !== undefined) origins.set(`options.${name}`, origin);
  }
  return { ...concern, origins, spec: { ...concern.spec, options: Object.fromEntries(options) } };
}

/** Where an option stands that is written under this name. */
function placeOf(name: string): readonly (readonly [key: string, name: string])[] {
  const path = splitOptionName(name) ?? [];
  return isOptionPath(path) ? [[keyOf(path), name]] : [];
}

function keyOf(path: readonly string[]): string {
  return path.join("\0");
}

function openings({ firewall = {}, network = {} }: Spec): readonly Opening[] {
  const { interfaces = {}, ...everywhere } = firewall;
  return [
    ...portsOf([], everywhere, ["firewall"]),
    ...byName(interfaces).flatMap(([name, ports]) =>
      portsOf(["interfaces", name], ports, ["firewall", "interfaces", name]),
    ),
    ...tunnelOpenings(network),
  ];
}

function portsOf(
  below: readonly string[],
  ports: OpenPorts,
  from: readonly string[],
): readonly Opening[] {
  return (["tcpPorts", "udpPorts"] as const).flatMap((key) =>
    (ports[key] ?? []).map((port, index) => ({
      option: optionOf(key, below),
      port,
      from: [...from, key, String(index)],
    })),
  );
}

/** A VXLAN takes what anybody sends to its port, so that this is open on its own interface alone, where one is known. */
function tunnelOpenings(network: Network): readonly Opening[] {
  const { tunnels = {} } = network;
  if (Object.keys(tunnels).length === 0) return [];
  const knownName = knownNames(network);
  return byName(tunnels).flatMap(([name, tunnel]): readonly Opening[] => {
    const { mode, link, listenPort, port = usualVxlanPort } = tunnel;
    const from = ["network", "tunnels", name];
    if (mode === "wireguard" && listenPort !== undefined)
      return [{ option: optionOf("udpPorts"), port: listenPort, from: [...from, "listenPort"] }];
    if (mode !== "vxlan") return [];
    const on = link === undefined ? undefined : knownName(link);
    const below = on !== undefined && interfaceName.test(on) ? ["interfaces", on] : [];
    return [{ option: optionOf("udpPorts", below), port, from: [...from, "port"] }];
  });
}

function optionOf(key: keyof OpenPorts, below: readonly string[] = []): readonly string[] {
  const ports = key === "tcpPorts" ? "allowedTCPPorts" : "allowedUDPPorts";
  return ["networking", "firewall", ...below, ports];
}

/** Into the list, or the one below these names; what is neither a list nor a mapping stays as it is: Nix names it. */
function withPorts(
  data: Json | undefined,
  [key, ...rest]: readonly string[],
  ports: ReadonlySet<number>,
): Json {
  if (key === undefined) {
    if (data === undefined) return [...ports];
    return Array.isArray(data) ? [...data, ...[...ports].filter(notIn(data))] : data;
  }
  if (data === undefined) return { [key]: withPorts(undefined, rest, ports) };
  if (typeof data !== "object" || data === null || Array.isArray(data)) return data;
  const mapping = data as { readonly [name: string]: Json };
  const inner = Object.hasOwn(mapping, key) ? mapping[key] : undefined;
  return { ...mapping, [key]: withPorts(inner, rest, ports) };
}

function notIn(list: readonly Json[]): (port: number) => boolean {
  const known = new Set(list);
  return (port) => !known.has(port);
}

/** So that the order of a document is nothing to the file. */
function byName<T>(named: { readonly [name: string]: T }): readonly (readonly [string, T])[] {
  return Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1));
}
