import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { isFault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import { candidatesFor, type Interfaces, needInterfaces } from "./candidates.ts";
import { gatewayOver, type ReadRoutes, readRoutes } from "./routes.ts";
import type { Crawl, Lack } from "./service.ts";

/** A way to a service by the interface whose address is asked from, where the kernel would take another. */
export interface WayOut {
  readonly source: string;
  readonly destination: string;
  readonly interface: string;
  /** The router; absent where the service is looked for on the link. */
  readonly gateway: string | undefined;
}

/** By this number of a protocol our rules and routes are told from those of others (5 to 255 are for anybody). */
const protocol = 241;
/** Of the first table, and of all rules: after the rules of VPNs, before the tables that every machine has. */
const firstTable = 24_100;
const lookAgainEveryMs = 1_000;
const ipMs = 10_000;

/** The ways to these addresses that need a rule of routing; none where no two interfaces compete. */
export function waysOut(
  addresses: readonly string[],
  interfaces: Interfaces,
  read: ReadRoutes,
): readonly WayOut[] {
  return candidatesFor(addresses, interfaces, read).flatMap((candidate) => {
    const { host, localAddress, leavesBy, interface: name } = candidate;
    if (localAddress === undefined || leavesBy === undefined || name === undefined) return [];
    const way = { source: localAddress, destination: host };
    return [{ ...way, interface: name, gateway: gatewayOver(name, way, read) }];
  });
}

/** What `ip -batch` is told so that these ways are there, and no other ones of ours. */
export function linesFor(ways: readonly WayOut[]): string {
  const lines = ways.flatMap(({ source, destination, interface: name, gateway }, index) => {
    const table = firstTable + index;
    const over = gateway === undefined ? "" : `via ${gateway} onlink `;
    const link = gateway === undefined && !isIPv6(destination) ? "scope link " : "";
    return [
      `route replace ${destination} ${over}dev ${name} ${link}proto ${protocol} table ${table}`,
      `rule add priority ${firstTable} protocol ${protocol} from ${source} to ${destination} lookup ${table}`,
    ];
  });
  const clear = [`rule flush protocol ${protocol}`, `route flush table all proto ${protocol}`];
  return [...clear, ...lines, ""].join("\n");
}

/** What sending by each interface needs. */
export interface WaysOutOptions {
  /** A program `ip` that may change routes. */
  readonly exec: Io["exec"];
  /** Of the service, where a job names none. */
  readonly addresses: readonly string[];
  /** For tests: the interfaces of this machine, its routes, and another time between looks. */
  readonly interfaces?: () => Interfaces;
  readonly routes?: ReadRoutes;
  readonly lookAgainMs?: number;
}

/**
 * A crawl in which what is asked from an address of this machine leaves by the interface that has it, also
 * where default routes compete: for that time a rule of routing says so, for these addresses of the service
 * alone. Interfaces that come up meanwhile get theirs. Where rules cannot be made it goes on without, and
 * that is told.
 */
export function overEachInterface(crawl: Crawl, options: WaysOutOptions): Crawl {
  const { exec, interfaces = networkInterfaces, routes = readRoutes } = options;
  const { lookAgainMs = lookAgainEveryMs } = options;
  return async (job, stop) => {
    const addresses = job.addresses ?? options.addresses;
    if (!needInterfaces(addresses)) return crawl(job, stop);
    const rules = new Rules(exec);
    const look = () => rules.set(waysOut(addresses, interfaces(), routes));
    const over = new AbortController();
    await look();
    const routed = rules.problem === undefined ? { routed: addresses } : {};
    const watching = (async () => {
      for (;;) {
        await delay(lookAgainMs, undefined, { signal: over.signal });
        await look();
      }
    })().catch(() => {}); // the crawl is over
    try {
      const report = await crawl({ ...job, ...routed }, stop);
      const { lacks = [] } = report;
      return rules.problem === undefined ? report : { ...report, lacks: [...lacks, rules.problem] };
    } finally {
      over.abort();
      await watching;
      await rules.set([]);
    }
  };
}

/** Our rules, as they are at the moment. */
class Rules {
  readonly #exec: Io["exec"];
  readonly #set = { "-4": "", "-6": "" };
  /** Why not all are there. */
  problem: Lack | undefined;

  constructor(exec: Io["exec"]) {
    this.#exec = exec;
  }

  async set(ways: readonly WayOut[]): Promise<void> {
    for (const family of ["-4", "-6"] as const) {
      const own = ways.filter(({ destination }) => isIPv6(destination) === (family === "-6"));
      const lines = linesFor(own);
      // What was never made need not be taken away.
      if (lines === this.#set[family] || (own.length === 0 && this.#set[family] === "")) continue;
      this.#set[family] = lines;
      const failed = await this.#run(family, lines);
      if (failed === undefined) continue;
      const path = own.map(({ destination }) => destination)[0] ?? "";
      this.problem ??= { level: "note", path, problem: `no rules of routing: ${failed}` };
    }
  }

  /** Why it failed. */
  async #run(family: "-4" | "-6", lines: string): Promise<string | undefined> {
    try {
      const { code, signal, stderr } = await this.#exec({
        ...{ file: "ip", args: [family, "-force", "-batch", "-"], stdin: lines },
        ...{ timeoutMs: ipMs, effect: "send by each interface" },
      });
      if (code === 0) return undefined;
      return stderr.trim().split("\n")[0] || `ip ended with ${code ?? signal}`;
    } catch (error) {
      if (isFault(error)) return error.message;
      throw error;
    }
  }
}
