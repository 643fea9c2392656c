import { isIPv4 } from "node:net";
import type { Files } from "#core/io.ts";

/** One file for each interface that has a lease, named by its number (systemd-networkd). */
const leases = "/run/systemd/netif/leases";
const routes = "/proc/net/route";
const maxBytes = 256 * 1024;
const mostLeases = 256;
const upAndGateway = 0x3;

/**
 * Addresses of the servers that this machine has its leases from, in the order of its interfaces, by
 * systemd-networkd; without any lease the gateway of the default route. Empty where there is none either.
 */
export function dhcpServers(files: Files): readonly string[] {
  const numbers = files.list(leases).filter((name) => /^\d+$/.test(name));
  const servers = numbers
    .sort((a, b) => Number(a) - Number(b))
    .slice(0, mostLeases)
    .map((name) => serverOf(files.readText(`${leases}/${name}`, { maxBytes }) ?? ""));
  const named = [...new Set(servers)].filter((server) => isIPv4(server));
  return named.length > 0 ? named : defaultGateways(files);
}

function serverOf(lease: string): string {
  return /^SERVER_ADDRESS=(.*)$/m.exec(lease)?.[1]?.trim() ?? "";
}

/** Of IPv4: the first route, as the kernel has them. */
function defaultGateways(files: Files): readonly string[] {
  const lines = (files.readText(routes, { maxBytes }) ?? "").split("\n").slice(1);
  const gateways = lines.flatMap((line) => {
    const [, to, gateway = "", flags = ""] = line.split("\t");
    const isDefault = to === "00000000" && /^[0-9A-F]{8}$/i.test(gateway);
    const leads = (Number.parseInt(flags, 16) & upAndGateway) === upAndGateway;
    return isDefault && leads ? [[...Buffer.from(gateway, "hex").reverse()].join(".")] : [];
  });
  return gateways.slice(0, 1);
}
