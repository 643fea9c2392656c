import type { NetworkInterfaceInfo } from "node:os";
import { leavingInterface, type ReadRoutes } from "./routes.ts";

/** One way to a metadata service: an address of it, and one of this machine to ask from. */
export interface Candidate {
  /** With the path that others are below; without a slash at its end, and without a scope. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Address to ask from; the kernel's choice when absent. */
  readonly localAddress?: string;
  /** The interface that has that address. */
  readonly interface?: string;
  /** The one by which the kernel sends it, where that is another: `eth0`, `eth0 or eth1`. */
  readonly leavesBy?: string;
  /** Socket of this machine that answers, in place of host and port. */
  readonly socketPath?: string;
  /** Path of what is spoken over in lines: that socket, or a serial port. */
  readonly line?: string;
  /**
   * For a person: the address to ask from with its interface, and the one by which the kernel sends it
   * where that is another. `null` where the kernel chooses both.
   */
  readonly from: string | null;
}

/** Addresses by interface, as `os.networkInterfaces()` has them. */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/**
 * Every way to a service: the kernel's own route, and where a machine has several interfaces the address
 * of each of them, because a metadata service may answer one only. By which interface that leaves is the
 * kernel's choice, who goes by the destination unless a rule of routing says otherwise
 * (`ways-out.ts`): no program without privileges can choose. A link-local IPv6 address has no route: it is
 * asked on every interface. `unix:/dev/lxd/sock` and `serial:/dev/ttyS1` are on this machine.
 */
export function candidatesFor(
  addresses: readonly string[],
  interfaces: Interfaces,
  routes: ReadRoutes = () => "",
): readonly Candidate[] {
  return addresses.flatMap((address): readonly Candidate[] => {
    const { origin, hostname, port, protocol, pathname } = new URL(address);
    if (isOnMachine(protocol)) return [onMachine(protocol, pathname)];
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    const url = `${origin}${pathname.replace(/\/$/, "")}`;
    const way = { url, host, port: Number(port || (protocol === "https:" ? 443 : 80)) };
    const family = host.includes(":") ? "IPv6" : "IPv4";
    if (isLinkLocal6(host)) {
      return namesWith(interfaces, "IPv6").map((name) => ({
        ...way,
        ...{ host: `${host}%${name}`, from: name },
      }));
    }
    const own = ownAddresses(interfaces, family);
    const several = new Set(own.map(({ name }) => name)).size > 1 && !isLoopback(host);
    const chosen = own.map(({ name, localAddress }) => {
      const by = leavingInterface({ destination: host, source: localAddress }, routes) ?? name;
      const leaving = by === name ? "" : `, which leaves by ${by}`;
      return {
        ...{ ...way, localAddress, interface: name, from: `${localAddress} (${name})${leaving}` },
        ...(by === name ? {} : { leavesBy: by }),
      };
    });
    return [{ ...way, from: null }, ...(several ? chosen : [])];
  });
}

/** Whether any address is behind an interface; who asks on the machine itself may not ask for those. */
export function needInterfaces(addresses: readonly string[]): boolean {
  return addresses.some((address) => !isOnMachine(new URL(address).protocol));
}

function isOnMachine(protocol: string): protocol is "unix:" | "serial:" {
  return protocol === "unix:" || protocol === "serial:";
}

function onMachine(protocol: "unix:" | "serial:", pathname: string): Candidate {
  const path = decodeURIComponent(pathname);
  const way = { url: "http://localhost", host: "localhost", port: 80, line: path };
  if (protocol === "serial:") return { ...way, url: `serial:${path}`, from: null };
  return { ...way, socketPath: path, from: path };
}

function isLinkLocal6(host: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(host);
}

function isLoopback(host: string): boolean {
  return host === "::1" || host.startsWith("127.");
}

function namesWith(interfaces: Interfaces, family: "IPv4" | "IPv6"): readonly string[] {
  return Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    addresses.some((one) => !one.internal && one.family === family) ? [name] : [],
  );
}

function ownAddresses(interfaces: Interfaces, family: "IPv4" | "IPv6") {
  return Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    addresses
      .filter((one) => !one.internal && one.family === family && !isLinkLocal6(one.address))
      .map(({ address }) => ({ name, localAddress: address })),
  );
}
