import { isIP } from "node:net";
import type { LinkSettings } from "#generated/provisioner/spec/v1.ts";
import { dhcpSettings, hostnameSection } from "./dhcp.ts";
import { type IpInput, noAddresses } from "./ip-input.ts";
import {
  checkLinkLocal6,
  type Family,
  familyOf,
  hasAddresses,
  linkLocal4,
  type Method,
  method4,
  method6,
  ofFamily,
} from "./method.ts";
import { routeSettings, ruleSettings } from "./routes.ts";
import { type KeyfileValue, type Section, section } from "./sections.ts";
import type { Tell } from "./tell.ts";

/** Addresses, routes, rules and names of an interface. */
export function ipSections(input: IpInput): readonly Section[] {
  const { settings, from, tell } = input;
  checkAddressOptions(settings, from, tell);
  const methods = methodsOf(input);
  checkLinkLocal6(settings, methods[6], from, tell);
  const searching = searchFamily(methods);
  const { search = [] } = settings;
  if (search.length > 0 && searching === undefined)
    tell({ path: [...from, "search"], ...noAddresses("search domains") });
  const names = (family: Family) => (searching === family ? search : []);
  return [
    ...section("ipv4", [
      ["method", methods[4]],
      ...addressSettings(settings, 4),
      ...routeSettings(input, 4, methods[4]),
      ...ruleSettings(settings, 4),
      ["dns", nameServers(input, 4, methods[4])],
      ["dns-search", names(4)],
      ["link-local", linkLocal4(settings, methods[4])],
      ["dhcp-client-id", hasAddresses(methods[4]) ? settings.dhcpIdentifier : undefined],
      ...dhcpSettings(input, 4, methods[4]),
    ]),
    ...section("ipv6", [
      ["method", methods[6]],
      ...addressSettings(settings, 6),
      ...routeSettings(input, 6, methods[6]),
      ...ruleSettings(settings, 6),
      ["dns", nameServers(input, 6, methods[6])],
      ["dns-search", names(6)],
      ...ownOf6(input, methods[6]),
      ...dhcpSettings(input, 6, methods[6]),
    ]),
    ...hostnameSection(input),
  ];
}

function methodsOf({ settings, from, hasFrames, tell }: IpInput): Record<Family, Method> {
  const needs6 =
    ofFamily(6, settings.nameservers).length > 0 ||
    (settings.routes ?? []).some(({ to, via = "" }) => familyOf(`${to}${via}`) === 6);
  const methods = { 4: method4(settings), 6: method6(settings, needs6) };
  if (hasFrames) return methods;
  for (const key of ["dhcp4", "dhcp6", "acceptRa"] as const) {
    if (settings[key] !== true) continue;
    const message = "NetworkManager asks nobody for addresses on a tunnel without frames";
    tell({ path: [...from, key], message });
  }
  const fixed = { ...settings, dhcp4: false, dhcp6: false, acceptRa: false, linkLocal: [] };
  return { 4: method4(fixed), 6: method6(fixed, false) };
}

function searchFamily(methods: Record<Family, Method>): Family | undefined {
  if (hasAddresses(methods[4])) return 4;
  return hasAddresses(methods[6]) ? 6 : undefined;
}

function addressSettings({ addresses }: LinkSettings, family: Family) {
  return ofFamily(family, addresses).map(
    (address, index) => [`address${index + 1}`, address] as const,
  );
}

/** Their forms are those of NetworkManager, but for ports and interfaces. */
function nameServers(
  { settings, from, tell }: IpInput,
  family: Family,
  method: Method,
): readonly string[] {
  return (settings.nameservers ?? []).flatMap((server, index) => {
    if (familyOf(server) !== family) return [];
    const path = [...from, "nameservers", String(index)];
    const [address = ""] = server.split("#");
    if (isIP(address) === 0 || address.includes("%")) {
      tell({ path, message: "NetworkManager takes name servers without port and interface" });
      return [];
    }
    if (hasAddresses(method)) return [server];
    tell({ path, ...noAddresses("name servers") });
    return [];
  });
}

function checkAddressOptions(
  { addressOptions = {} }: LinkSettings,
  from: readonly string[],
  tell: Tell,
): void {
  for (const [address, options] of Object.entries(addressOptions)) {
    for (const [key, value] of Object.entries(options)) {
      if (key === "lifetime" && value === "forever") continue;
      const message = `a profile of NetworkManager says no \`${key}\` of an address`;
      tell({ path: [...from, "addressOptions", address, key], message });
    }
  }
}

/** What is said of IPv6 alone. */
function ownOf6({ settings, from, tell }: IpInput, method: Method) {
  const { ipv6Privacy, ipv6AddressGeneration, ipv6AddressToken, ipv6Mtu, raOverrides } = settings;
  const isOff = method === "ignore" || method === "disabled";
  const own = (key: keyof LinkSettings, value: KeyfileValue | undefined) => {
    if (value === undefined || !isOff) return value;
    tell({ path: [...from, key], message: "NetworkManager leaves IPv6 of this interface alone" });
    return undefined;
  };
  const privacy = ipv6Privacy === undefined ? undefined : ipv6Privacy ? 2 : 0;
  return [
    ["ip6-privacy", own("ipv6Privacy", privacy)],
    ["addr-gen-mode", own("ipv6AddressGeneration", ipv6AddressGeneration)],
    ["token", own("ipv6AddressToken", token(settings, from, tell, ipv6AddressToken))],
    ["mtu", own("ipv6Mtu", ipv6Mtu)],
    ["route-table", isOff ? undefined : raOverrides?.table],
  ] as const;
}

/** The host's half of an address, which counts where addresses are made of the hardware's. */
function token(
  { ipv6AddressGeneration }: LinkSettings,
  from: readonly string[],
  tell: Tell,
  text: string | undefined,
): string | undefined {
  if (text === undefined) return undefined;
  const isToken = isIP(text) === 6 && text.startsWith("::") && text.split(":").length <= 6;
  if (isToken && text !== "::" && ipv6AddressGeneration !== "stable-privacy") return text;
  const message = isToken
    ? "NetworkManager takes no host part where addresses are made by `stable-privacy`"
    : "NetworkManager takes the last 64 bits of an address as host part: `::1:2:3:4`";
  tell({ path: [...from, "ipv6AddressToken"], message });
  return undefined;
}
