import type { DhcpOverrides, LinkSettings, RaOverrides } from "#generated/provisioner/spec/v1.ts";
import type { IpInput } from "./ip-input.ts";
import { type Family, families, type Method } from "./method.ts";
import { type Section, section } from "./sections.ts";
import type { Tell } from "./tell.ts";

/**
 * What is taken of the answers of DHCP and of routers. NetworkManager has one setting for a family,
 * whoever gave the answer, and takes search domains with the name servers.
 */
export function dhcpSettings({ settings, from, tell }: IpInput, family: Family, method: Method) {
  const { dhcp, overrides: key } = families[family];
  const overrides = settings[key] ?? {};
  const path = [...from, key];
  if (method === "disabled" || method === "ignore") return [];
  checkOverrides(overrides, path, tell, settings);
  const ignoresDns = ignoresNames(settings, family, from, tell);
  const isAsked = settings[dhcp] === true || (family === 6 && settings.acceptRa === true);
  return [
    ["ignore-auto-dns", ignoresDns ? true : undefined],
    ["ignore-auto-routes", overrides.useRoutes === false ? true : undefined],
    ["route-metric", overrides.routeMetric ?? (isAsked ? settings.dhcpMetric : undefined)],
    ["dhcp-send-hostname", overrides.sendHostname],
    ["dhcp-hostname", overrides.hostname],
  ] as const;
}

/** Whether the machine's name is taken from DHCP: one setting for both families. */
export function hostnameSection({ settings, from, tell }: IpInput): readonly Section[] {
  const { dhcp4Overrides: four = {}, dhcp6Overrides: six = {} } = settings;
  const taken = four.useHostname ?? six.useHostname;
  if (six.useHostname !== undefined && six.useHostname !== taken) {
    const message = "NetworkManager takes the name from DHCP of both families, or of none";
    tell({ path: [...from, "dhcp6Overrides", "useHostname"], message });
  }
  return section("hostname", [["from-dhcp", taken === undefined ? undefined : taken ? 1 : 0]]);
}

function checkOverrides(
  overrides: DhcpOverrides,
  path: readonly string[],
  tell: Tell,
  { mtu, ipv6Mtu }: LinkSettings,
): void {
  if (overrides.useNtp === true) {
    const message = "NetworkManager hands time servers of DHCP to nobody";
    tell({ path: [...path, "useNtp"], message, hint: "name them under `ntp`" });
  }
  if (overrides.useMtu === false && mtu === undefined && ipv6Mtu === undefined) {
    const message = "NetworkManager takes the MTU that it is told";
    tell({ path: [...path, "useMtu"], message, hint: "give `mtu`, which counts more" });
  }
}

/** Whether name servers and search domains of others are left out. */
function ignoresNames(
  settings: LinkSettings,
  family: Family,
  from: readonly string[],
  tell: Tell,
): boolean {
  const sources = sourcesOf(settings, family);
  const ignored = sources.some(([, { useDns }]) => useDns === false);
  for (const [key, { useDns, useDomains }] of sources) {
    const path = [...from, key];
    if (ignored && useDns === true) {
      const message = "NetworkManager leaves out name servers of DHCP and of routers, or of none";
      tell({ path: [...path, "useDns"], message });
    }
    const isSaid = useDomains === undefined || useDomains === (ignored ? "no" : "yes");
    if (isSaid) continue;
    const message = ignored
      ? "NetworkManager leaves search domains out with the name servers"
      : "NetworkManager takes search domains with the name servers, to search in";
    tell({ path: [...path, "useDomains"], message });
  }
  if (ignored && sources.length === 1 && family === 6) {
    const message = "NetworkManager leaves out name servers of DHCP and of routers together";
    tell({ path: [...from, sources[0]?.[0] ?? "", "useDns"], message, level: "note" });
  }
  return ignored;
}

function sourcesOf({ dhcp4Overrides, dhcp6Overrides, raOverrides }: LinkSettings, family: Family) {
  const all: readonly (readonly [string, DhcpOverrides | RaOverrides | undefined])[] =
    family === 4
      ? [["dhcp4Overrides", dhcp4Overrides]]
      : [
          ["dhcp6Overrides", dhcp6Overrides],
          ["raOverrides", raOverrides],
        ];
  return all.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
}
