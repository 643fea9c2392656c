import { readPrinted } from "#provisioner/nix-language/read-printed.ts";
import type { NixExpr } from "#provisioner/nix-language/tree.ts";
import type { UnitFile } from "./networkd-meaning.ts";

type Value = string | number | boolean | null | readonly Value[] | Values;
interface Values {
  readonly [key: string]: Value;
}

/** What NixOS writes each option of `systemd.network` to (nixos/modules/system/boot/networkd.nix). */
const sectionOf: Readonly<Record<string, string>> = {
  matchConfig: "Match",
  linkConfig: "Link",
  networkConfig: "Network",
  addresses: "Address",
  routes: "Route",
  routingPolicyRules: "RoutingPolicyRule",
  dhcpV4Config: "DHCPv4",
  dhcpV6Config: "DHCPv6",
  ipv6AcceptRAConfig: "IPv6AcceptRA",
  ipoIBConfig: "IPoIB",
  netdevConfig: "NetDev",
  bondConfig: "Bond",
  bridgeConfig: "Bridge",
  peerConfig: "Peer",
  vlanConfig: "VLAN",
  vrfConfig: "VRF",
  tunnelConfig: "Tunnel",
  vxlanConfig: "VXLAN",
  wireguardConfig: "WireGuard",
  wireguardPeers: "WireGuardPeer",
};

/** The value of an option of a printed module; `undefined` where it does not set it. */
export function optionValue(module: string, path: string): Value | undefined {
  let here: Value | undefined = moduleValues(module);
  for (const part of path.split(".")) {
    here = isValues(here) && Object.hasOwn(here, part) ? here[part] : undefined;
  }
  return here;
}

/** The files that NixOS makes of the `systemd.network` options of a printed module. */
export function filesOfOptions(module: string): readonly UnitFile[] {
  return ["netdev", "network", "link"].flatMap((kind) => {
    const units = optionValue(module, `systemd.network.${kind}s`);
    return Object.entries(isValues(units) ? units : {}).map(([name, options]) => ({
      name: `${name}.${kind}`,
      text: unitText(options),
    }));
  });
}

function unitText(options: Value): string {
  if (!isValues(options)) throw new Error("a unit is no set of options");
  const sections = Object.entries(options).flatMap(([option, value]) => {
    const section = sectionOf[option];
    if (section === undefined) throw new Error(`no option of a unit: ${option}`);
    const all = isList(value) ? value : [value];
    return all.map((each) => `[${section}]\n${settingsText(each)}`);
  });
  return sections.join("\n");
}

function settingsText(settings: Value): string {
  if (!isValues(settings)) throw new Error("a section is no set of settings");
  return Object.entries(settings)
    .flatMap(([key, value]) => (isList(value) ? value : [value]).map((each) => `${key}=${each}\n`))
    .join("");
}

function moduleValues(module: string): Value {
  if (module === "") return {};
  const expr = readPrinted(module);
  if (expr.kind !== "lambda") throw new Error("no module");
  return plainValue(expr.body);
}

function plainValue(expr: NixExpr): Value {
  switch (expr.kind) {
    case "null":
      return null;
    case "bool":
    case "float":
      return expr.value;
    case "int":
      return Number(expr.value);
    case "string":
      return expr.parts.map((part) => (typeof part === "string" ? part : "")).join("");
    case "list":
      return expr.items.flatMap((item) => (item.kind === "comment" ? [] : [plainValue(item)]));
    case "attrs": {
      const values: { [key: string]: Value } = {};
      for (const entry of expr.entries) {
        if (entry.kind === "binding") put(values, entry.path, plainValue(entry.value));
      }
      return values;
    }
    case "reference":
    case "call":
      return null; // packages and such: no part of a file of the network
    default:
      throw new Error(`a value of kind ${expr.kind}`);
  }
}

function put(target: { [key: string]: Value }, path: readonly string[], value: Value): void {
  const [key = "", ...rest] = path;
  if (rest.length === 0) {
    target[key] = value;
    return;
  }
  const inner = target[key];
  const next: { [key: string]: Value } = isValues(inner) ? { ...inner } : {};
  put(next, rest, value);
  target[key] = next;
}

function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

function isValues(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
