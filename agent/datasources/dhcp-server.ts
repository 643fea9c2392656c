import { isIPv4 } from "node:net";
import { isFault } from "#core/fault.ts";
import type { Files } from "#core/io.ts";

/** Where systemd-networkd and NetworkManager have a file for each interface, named by its number. */
const netif = "/run/systemd/netif/leases";
const networkManager = "/run/NetworkManager/devices";
/** Where dhcpcd has the server's answer for each interface: `eth0.lease`, `wlan0-home.lease`. */
const dhcpcd = ["/var/lib/dhcpcd", "/var/db/dhcpcd"];
const routes = "/proc/net/route";
const maxBytes = 256 * 1024;
const mostLeases = 256;
const upAndGateway = 0x3;

/**
 * Addresses of the servers that this machine has its leases from, in the order of its interfaces, by
 * whoever has asked for them: systemd-networkd, dhcpcd, NetworkManager; without any lease the gateway of the
 * default route. Empty where there is none either.
 */
export function dhcpServers(files: Files): readonly string[] {
  const asked = [
    () => numbered(files, netif, /^SERVER_ADDRESS=(.*)$/m),
    () => dhcpcd.flatMap((directory) => ofDhcpcd(files, directory)),
    () => numbered(files, networkManager, /^dhcp-server-identifier=(.*)$/m),
  ];
  for (const ask of asked) {
    const named = [...new Set(ask())].filter((server) => isIPv4(server));
    if (named.length > 0) return named;
  }
  return defaultGateways(files);
}

function numbered(files: Files, directory: string, line: RegExp): readonly string[] {
  return files
    .list(directory)
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(a) - Number(b))
    .slice(0, mostLeases)
    .map((name) => readLeniently(files, `${directory}/${name}`).toString("utf8"))
    .map((lease) => line.exec(lease)?.[1]?.trim() ?? "");
}

function ofDhcpcd(files: Files, directory: string): readonly string[] {
  const leases = files.list(directory).filter((name) => /^[^.].*\.lease$/.test(name));
  return leases
    .sort()
    .slice(0, mostLeases)
    .map((name) => serverIn(readLeniently(files, `${directory}/${name}`)) ?? "");
}

/** A lease that cannot be read names no server. */
function readLeniently(files: Files, path: string): Buffer {
  try {
    return Buffer.from(files.read(path, { maxBytes }) ?? []);
  } catch (error) {
    if (isFault(error)) return Buffer.alloc(0);
    throw error;
  }
}

const cookie = Buffer.from([0x63, 0x82, 0x53, 0x63]);
const cookieAt = 236;
const serverIdentifier = 54;
const pad = 0;
const end = 255;

/** The server in a message of DHCP as it came (RFC 2131, section 2; RFC 2132, section 9.7). */
function serverIn(message: Buffer): string | undefined {
  if (!message.subarray(cookieAt, cookieAt + cookie.length).equals(cookie)) return undefined;
  for (let at = cookieAt + cookie.length; at < message.length; ) {
    const option = message[at++];
    if (option === pad) continue;
    const length = message[at++];
    if (option === end || length === undefined) return undefined;
    if (option === serverIdentifier && length === 4 && at + length <= message.length)
      return message.subarray(at, at + length).join(".");
    at += length;
  }
  return undefined;
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
