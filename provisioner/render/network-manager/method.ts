import type { LinkSettings } from "#generated/provisioner/spec/v1.ts";
import type { Tell } from "./tell.ts";

/** A family of addresses, with its section and the keys of the spec that are for it. */
export const families = {
  4: { section: "ipv4", name: "IPv4", dhcp: "dhcp4", overrides: "dhcp4Overrides", link: "ipv4" },
  6: { section: "ipv6", name: "IPv6", dhcp: "dhcp6", overrides: "dhcp6Overrides", link: "ipv6" },
} as const;

/** The family by its number. */
export type Family = keyof typeof families;

/** `method` of a family: where its addresses come from. */
export type Method = "auto" | "dhcp" | "manual" | "link-local" | "disabled" | "ignore";

/** Those addresses, servers and networks that are of a family. */
export function ofFamily(family: Family, texts: readonly string[] | undefined): readonly string[] {
  return (texts ?? []).filter((text) => familyOf(text) === family);
}

/** The family of an address, with a port or brackets as well. */
export function familyOf(text: string): Family {
  return /^\[|:.*:/.test(text) ? 6 : 4;
}

/** Where addresses of IPv4 come from. */
export function method4({ dhcp4, addresses, linkLocal }: LinkSettings): Method {
  if (dhcp4 === true) return "auto";
  if (ofFamily(4, addresses).length > 0) return "manual";
  return linkLocal?.includes("ipv4") === true ? "link-local" : "disabled";
}

/**
 * Where addresses of IPv6 come from. Where nothing is said of them, and IPv4 has none, they are left to
 * the kernel: NetworkManager takes an interface down on which it waits for a router in vain.
 */
export function method6(settings: LinkSettings, isNeeded: boolean): Method {
  const { dhcp6, acceptRa, addresses, linkLocal } = settings;
  if (dhcp6 === true) return acceptRa === false ? "dhcp" : "auto";
  if (acceptRa === true) return "auto";
  if (ofFamily(6, addresses).length > 0) return "manual";
  if (linkLocal?.includes("ipv6") === false) return "disabled";
  if (acceptRa === false) return "link-local";
  return isNeeded || method4(settings) !== "disabled" ? "auto" : "ignore";
}

/** Whether a family has addresses of its own, to which name servers and search domains may be put. */
export function hasAddresses(method: Method): boolean {
  return method === "auto" || method === "dhcp" || method === "manual";
}

/** What is said of link-local addresses beside the method. */
export function linkLocal4(settings: LinkSettings, method: Method): number | undefined {
  const isAsked = settings.linkLocal?.includes("ipv4") === true;
  return isAsked && hasAddresses(method) ? linkLocalEnabled : undefined;
}

/** `enabled` of `ipv4.link-local` (NMSettingIP4LinkLocal). */
const linkLocalEnabled = 3;

/** NetworkManager makes a link-local address of IPv6 wherever that is on. */
export function checkLinkLocal6(
  { linkLocal }: LinkSettings,
  method: Method,
  from: readonly string[],
  tell: Tell,
): void {
  if (linkLocal?.includes("ipv6") !== false || !hasAddresses(method)) return;
  const message = "NetworkManager makes a link-local address wherever IPv6 is on";
  tell({ path: [...from, "linkLocal"], message, level: "note" });
}
