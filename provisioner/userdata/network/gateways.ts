import { BlockList, isIP } from "node:net";
import type { LinkSettings, Route } from "#generated/provisioner/spec/v1.ts";

/**
 * The default route through a gateway that stands beside addresses. One that none of their networks
 * holds is on the link all the same, as cloud-init has it.
 */
export function gatewayRoute(via: string, addresses: readonly string[]): Route {
  const family = isIP(via);
  const own = addresses.filter((address) => isIP(address.split("/")[0] ?? "") === family);
  const isFar = own.length > 0 && !isLinkLocal(via) && !own.some((each) => holds(each, via));
  return { to: "default", via, ...(isFar ? { onLink: true } : {}) };
}

/** Whether a network, given by one of its addresses with prefix length, holds an address. */
export function holds(prefixed: string, address: string): boolean {
  const [base = "", length = ""] = prefixed.split("/");
  if (isIP(base) === 0 || isIP(base) !== isIP(address)) return false;
  const family = isIP(base) === 4 ? "ipv4" : "ipv6";
  const network = new BlockList();
  network.addSubnet(base, Number(length), family);
  return network.check(address, family);
}

/** Puts the routes of gateways before the others. */
export function putGateways(link: LinkSettings, gateways: readonly string[]): void {
  const routes = gateways.map((via) => gatewayRoute(via, link.addresses ?? []));
  if (routes.length > 0) link.routes = [...routes, ...(link.routes ?? [])];
}

function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address);
}
