import type { AccessPoint, Network } from "#generated/provisioner/spec/v1.ts";
import { attrs, bind, bool, int, list, type NixExpr, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern, winning } from "./assignment.ts";
import { interfacesOf, wirelessFile } from "./network-secret-files.ts";
import { networkSecretPath } from "./network-secrets.ts";
import { checked, textRules } from "./text-rules.ts";

/** wpa_supplicant's names of ways to prove who one is, by the spec's. */
const protocols: Readonly<Record<string, readonly string[]>> = {
  none: ["NONE"],
  psk: ["WPA-PSK", "WPA-PSK-SHA256"],
  sae: ["SAE"],
};

/** The wireless networks of the spec, joined by wpa_supplicant; networkd does the rest. */
export function renderWifis(concern: Concern, network: Network): readonly Assignment[] {
  const wifis = Object.entries(network.wifis ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const points = new Map<
    string,
    { readonly from: readonly string[]; readonly point: AccessPoint }
  >();
  for (const [name, { accessPoints = {} }] of wifis) {
    for (const [ssid, point] of Object.entries(accessPoints)) {
      const from = ["network", "wifis", name, "accessPoints", ssid];
      if (checked(concern, from, ssid, textRules.ssid) === undefined) continue;
      points.set(ssid, { from, point });
    }
  }
  if (wifis.length === 0) return [];
  const path = (...rest: readonly string[]) => ["networking", "wireless", ...rest];
  const from = ["network", "wifis"];
  const names = interfacesOf(network.wifis ?? {});
  const country = wifis.find(([, { regulatoryDomain }]) => regulatoryDomain !== undefined)?.[1]
    .regulatoryDomain;
  const hasPassword = [...points.values()].some(({ point }) => point.password !== undefined);
  return [
    assign(path("enable"), winning(concern.base, bool(true)), from),
    ...(country === undefined
      ? []
      : [assign(path("extraConfig"), str(`country=${country}`), from)]),
    ...(names === undefined ? [] : [assign(path("interfaces"), list(names.map(str)), from)]),
    ...(hasPassword
      ? [assign(path("secretsFile"), str(networkSecretPath(wirelessFile)), from)]
      : []),
    ...[...points]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([ssid, { from, point }]) =>
        assign(path("networks", ssid), networkOptions(point), from),
      ),
  ];
}

function networkOptions({
  password,
  hidden,
  bssid,
  priority,
  keyManagement,
}: AccessPoint): NixExpr {
  const ways = keyManagement === undefined ? undefined : protocols[keyManagement];
  return attrs([
    ...(password === undefined ? [] : [bind("pskRaw", str(`ext:${password.secretRef}`))]),
    ...(ways === undefined ? [] : [bind("authProtocols", list(ways.map(str)))]),
    ...(hidden === undefined ? [] : [bind("hidden", bool(hidden))]),
    ...(priority === undefined ? [] : [bind("priority", int(priority))]),
    ...(bssid === undefined ? [] : [bind("extraConfig", str(`bssid=${bssid}`))]),
  ]);
}
