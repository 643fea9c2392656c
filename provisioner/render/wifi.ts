import type { AccessPoint, Network } from "#generated/provisioner/spec/v1.ts";
import { attrs, bind, bool, int, list, type NixExpr, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, addFinding, assign, type Concern, winning } from "./assignment.ts";
import { networkSecretsFile } from "./network-secret.ts";
import { checked, textRules } from "./text-rules.ts";

/** wpa_supplicant's names of ways to prove who one is, by the spec's. */
const protocols: Readonly<Record<string, readonly string[]>> = {
  none: ["NONE"],
  psk: ["WPA-PSK", "WPA-PSK-SHA256"],
  sae: ["SAE"],
};

/** The wireless networks of the spec, joined by wpa_supplicant; networkd does the rest. */
export function renderWifis(concern: Concern, network: Network): readonly Assignment[] {
  const wifis = Object.entries(network.wifis ?? {});
  const points = new Map<
    string,
    { readonly from: readonly string[]; readonly point: AccessPoint }
  >();
  for (const [name, { accessPoints = {} }] of wifis) {
    for (const [ssid, point] of Object.entries(accessPoints)) {
      const from = ["network", "wifis", name, "accessPoints", ssid];
      if (!isFit(concern, ssid, point, from)) continue;
      points.set(ssid, { from, point });
    }
  }
  if (wifis.length === 0) return [];
  const path = (...rest: readonly string[]) => ["networking", "wireless", ...rest];
  const from = ["network", "wifis"];
  const names = wifis.map(([name, { setName, match }]) => setName ?? match?.name ?? name);
  const exact = names.filter((name) => /^[A-Za-z0-9_.-]+$/.test(name));
  const file = [...points.values()].some(({ point }) => point.password !== undefined)
    ? networkSecretsFile
    : undefined;
  return [
    assign(path("enable"), winning(concern.base, bool(true)), from),
    // a pattern names no interface: then wpa_supplicant takes every one that it finds
    ...(exact.length === names.length
      ? [assign(path("interfaces"), list(exact.map(str)), from)]
      : []),
    ...(file === undefined ? [] : [assign(path("secretsFile"), str(file), from)]),
    ...[...points].map(([ssid, { from, point }]) =>
      assign(path("networks", ssid), networkOptions(point), from),
    ),
  ];
}

function isFit(
  concern: Concern,
  ssid: string,
  point: AccessPoint,
  from: readonly string[],
): boolean {
  if (checked(concern, from, ssid, textRules.ssid) === undefined) return false;
  if (point.password === undefined || networkSecretsFile !== undefined) return true;
  addFinding(
    concern,
    from,
    "warning",
    "render/network-secret",
    "this network is left out: its password cannot be handed to wpa_supplicant yet",
    "set networking.wireless.secretsFile under `options`, its passwords in a secret file",
  );
  return false;
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
