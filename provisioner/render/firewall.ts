import type { Json } from "#core/canonical-json.ts";
import type { Network, OpenPorts, Spec } from "#generated/provisioner/spec/v1.ts";
import { attrPath } from "#provisioner/nix-language/text.ts";
import { type Concern, originOf } from "./assignment.ts";
import { knownName } from "./networkd/links.ts";
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

/**
 * The same with every port that the spec asks to be open among its options, added to those that stand there:
 * whoever opens others by an option says nothing against these.
 */
export function withFirewall(concern: Concern): Concern {
  const { spec } = concern;
  let options = (spec.options ?? {}) as { readonly [name: string]: Json };
  const origins = new Map(concern.origins);
  for (const { option, port, from } of openings(spec)) {
    const name = attrPath(option);
    const isFirst = !Object.keys(options).some((each) => isPartOf(each, option));
    options = addPort(options, option, port);
    const origin = originOf(concern.origins, from);
    if (isFirst && origin !== undefined) origins.set(`options.${name}`, origin);
  }
  if (Object.keys(options).length === 0) return concern;
  return { ...concern, origins, spec: { ...spec, options } };
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
  return byName(network.tunnels ?? {}).flatMap(([name, tunnel]): readonly Opening[] => {
    const { mode, link, listenPort, port = usualVxlanPort } = tunnel;
    const from = ["network", "tunnels", name];
    if (mode === "wireguard" && listenPort !== undefined)
      return [{ option: optionOf("udpPorts"), port: listenPort, from: [...from, "listenPort"] }];
    if (mode !== "vxlan") return [];
    const on = link === undefined ? undefined : knownName(network, link);
    const below = on !== undefined && interfaceName.test(on) ? ["interfaces", on] : [];
    return [{ option: optionOf("udpPorts", below), port, from: [...from, "port"] }];
  });
}

function optionOf(key: keyof OpenPorts, below: readonly string[] = []): readonly string[] {
  const ports = key === "tcpPorts" ? "allowedTCPPorts" : "allowedUDPPorts";
  return ["networking", "firewall", ...below, ports];
}

/** Into the list that stands under the option's name, or in a mapping under the name of a part before it. */
function addPort(
  options: { readonly [name: string]: Json },
  option: readonly string[],
  port: number,
): { readonly [name: string]: Json } {
  const name = Object.keys(options).find((each) => isPartOf(each, option)) ?? attrPath(option);
  const rest = option.slice(splitOptionName(name)?.length ?? option.length);
  const data = Object.hasOwn(options, name) ? options[name] : undefined;
  return { ...options, [name]: putPort(data, rest, port) };
}

function isPartOf(name: string, option: readonly string[]): boolean {
  const path = splitOptionName(name) ?? [];
  return isOptionPath(path) && path.every((part, index) => part === option[index]);
}

/** What is neither a list nor a mapping stays as it is: Nix names it. */
function putPort(data: Json | undefined, [key, ...rest]: readonly string[], port: number): Json {
  if (key === undefined) {
    if (data === undefined) return [port];
    return Array.isArray(data) && !data.includes(port) ? [...data, port] : data;
  }
  if (data === undefined) return { [key]: putPort(undefined, rest, port) };
  if (typeof data !== "object" || data === null || Array.isArray(data)) return data;
  const mapping = data as { readonly [name: string]: Json };
  const inner = Object.hasOwn(mapping, key) ? mapping[key] : undefined;
  return { ...mapping, [key]: putPort(inner, rest, port) };
}

/** So that the order of a document is nothing to the file. */
function byName<T>(named: { readonly [name: string]: T }): readonly (readonly [string, T])[] {
  return Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1));
}
