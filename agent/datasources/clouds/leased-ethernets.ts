import type { JsonObject } from "../cloud.ts";

/** An interface as a cloud describes it. */
export interface LeasedInterface {
  /** MAC address. */
  readonly mac: string;
  readonly hasIpv6: boolean;
}

/**
 * A network-config where there is more than one interface: each with DHCP, and only the first is waited
 * for. One needs nothing said, because that is what a machine does by itself. `prefix` begins their names.
 */
export function leasedEthernets(
  interfaces: readonly LeasedInterface[],
  prefix: string,
): JsonObject | undefined {
  if (interfaces.length < 2) return undefined;
  const ethernets = interfaces.map(({ mac, hasIpv6 }, index) => {
    const match = { macaddress: mac };
    return [`${prefix}${index}`, { match, dhcp4: true, dhcp6: hasIpv6, optional: index > 0 }];
  });
  return { version: 2, ethernets: Object.fromEntries(ethernets) };
}
