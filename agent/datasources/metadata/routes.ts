import { readFileSync } from "node:fs";
import { BlockList, isIPv6 } from "node:net";
import { endianness } from "node:os";

/** A route that the kernel may take. */
interface Route {
  readonly interface: string;
  readonly prefixLength: number;
  readonly metric: number;
  /** Address of the next router; absent where the link is the destination's. */
  readonly gateway: string | undefined;
  readonly isRefusal: boolean;
  /** Whether it is for this destination from this source. */
  readonly fits: (destination: string, source: string) => boolean;
}

/** A text of the kernel's tables of routes, below `/proc/net`; empty where it cannot be read. */
export type ReadRoutes = (table: "route" | "ipv6_route") => string;

/** Those of this machine. */
export const readRoutes: ReadRoutes = (table) => {
  try {
    return readFileSync(`/proc/net/${table}`, "latin1");
  } catch {
    return "";
  }
};

const isUp = 0x1;
const refuses = 0x200;

/**
 * The interface by which the kernel sends what goes from an address of this machine: it chooses by the
 * destination, and by the source only where a route names one. Of several that are as good all are named
 * (`eth0 or eth1`). `undefined` where no route is known. Rules of policy routing stand in neither table.
 */
export function leavingInterface(way: Way, read: ReadRoutes): string | undefined {
  const best = bestOf(fitting(way, read));
  if (best.length === 0 || best.some(({ isRefusal }) => isRefusal)) return undefined;
  return [...new Set(best.map((route) => route.interface))].join(" or ");
}

/**
 * The router that the kernel would take where an interface were the only one; `undefined` also where the
 * destination is to be found on the link itself.
 */
export function gatewayOver(name: string, way: Way, read: ReadRoutes): string | undefined {
  const [route] = bestOf(
    fitting(way, read).filter((each) => each.interface === name && !each.isRefusal),
  );
  return route?.gateway;
}

/** From an address of this machine to another one. */
interface Way {
  readonly destination: string;
  readonly source: string;
}

function fitting({ destination, source }: Way, read: ReadRoutes): readonly Route[] {
  const all = isIPv6(destination) ? routesOf6(read("ipv6_route")) : routesOf4(read("route"));
  return all.filter(({ fits }) => fits(destination, source));
}

/** The longest prefix, then the lowest metric. */
function bestOf(routes: readonly Route[]): readonly Route[] {
  const longest = Math.max(...routes.map(({ prefixLength }) => prefixLength));
  const nearest = routes.filter(({ prefixLength }) => prefixLength === longest);
  const least = Math.min(...nearest.map(({ metric }) => metric));
  return nearest.filter(({ metric }) => metric === least);
}

/** Columns as `fib_route_seq_show` of the kernel's net/ipv4/fib_trie.c writes them. */
function routesOf4(text: string): readonly Route[] {
  return rowsOf(text).flatMap(([name, to, router, flags, , , metric, mask]) => {
    const destination = fromHex(to, 4);
    const bits = fromHex(mask, 4);
    const next = fromHex(router, 4);
    if (name === undefined || destination === undefined || bits === undefined) return [];
    const prefixLength = bits.reduce((sum, byte) => sum + ones(byte), 0);
    const network = subnet(ipv4(inOrder(destination)), prefixLength, "ipv4");
    const fits = (address: string) => network.check(address, "ipv4");
    const gateway = next?.some((byte) => byte !== 0) ? ipv4(inOrder(next)) : undefined;
    const about = { interface: name, prefixLength, metric: Number(metric), gateway };
    return routeOf({ ...about, fits }, flags);
  });
}

/** Columns as `rt6_info` of net/ipv6/route.c is written, all of them in hexadecimal. */
function routesOf6(text: string): readonly Route[] {
  return rowsOf(text).flatMap(([to, length, from, fromLength, router, metric, , , flags, name]) => {
    const destination = fromHex(to, 16);
    const next = fromHex(router, 16);
    const source = fromHex(from, 16);
    if (name === undefined || destination === undefined || source === undefined) return [];
    const prefixLength = prefixOf6(length);
    const ownLength = prefixOf6(fromLength);
    if (prefixLength === undefined || ownLength === undefined) return [];
    const network = subnet(ipv6(destination), prefixLength, "ipv6");
    const own = subnet(ipv6(source), ownLength, "ipv6");
    const fits = (address: string, mine: string) =>
      network.check(address, "ipv6") && own.check(mine, "ipv6");
    const gateway = next?.some((byte) => byte !== 0) ? ipv6(next) : undefined;
    const about = { interface: name, prefixLength, metric: Number.parseInt(metric ?? "", 16) };
    return routeOf({ ...about, gateway, fits }, flags);
  });
}

function rowsOf(text: string): readonly (readonly string[])[] {
  return text.split("\n").map((line) => line.trim().split(/\s+/));
}

function routeOf(route: Omit<Route, "isRefusal">, flags = ""): readonly Route[] {
  const set = Number.parseInt(flags, 16);
  const isRefusal = (set & refuses) !== 0;
  return (set & isUp) !== 0 || isRefusal ? [{ ...route, isRefusal }] : [];
}

function fromHex(text: string | undefined, length: number): readonly number[] | undefined {
  if (text?.length !== length * 2 || /[^0-9a-f]/i.test(text)) return undefined;
  return [...Buffer.from(text, "hex")];
}

function prefixOf6(text: string | undefined): number | undefined {
  const [length] = fromHex(text, 1) ?? [];
  return length === undefined || length > 128 ? undefined : length;
}

/** The table of IPv4 has numbers as the processor keeps them. */
function inOrder(bytes: readonly number[]): readonly number[] {
  return endianness() === "LE" ? [...bytes].reverse() : bytes;
}

function ones(byte: number): number {
  return byte.toString(2).replaceAll("0", "").length;
}

function ipv4(bytes: readonly number[]): string {
  return bytes.join(".");
}

function ipv6(bytes: readonly number[]): string {
  return Buffer.from(bytes)
    .toString("hex")
    .replace(/(?<=.)(?=(?:....)+$)/g, ":");
}

function subnet(address: string, prefixLength: number, family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  list.addSubnet(address, prefixLength, family);
  return list;
}
