import type { Json } from "#core/canonical-json.ts";
import { isPort } from "./spec-option.ts";

type Mapping = { readonly [key: string]: Json };

/** A port that Incus listens at, on one interface where only its containers ask there. */
export interface IncusPort {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  readonly on?: string;
}

/** Settings of the server that are an address to listen at, and the port of one without. */
const addresses: Readonly<Record<string, number>> = {
  "core.https_address": 8443,
  "cluster.https_address": 8443,
  "core.metrics_address": 8443,
  "core.storage_buckets_address": 9000,
};
/** Names and leases for containers: DNS, DHCP and DHCPv6. */
const ofBridge = [
  ...[
    { protocol: "tcp" as const, port: 53 },
    { protocol: "udp" as const, port: 53 },
  ],
  ...[
    { protocol: "udp" as const, port: 67 },
    { protocol: "udp" as const, port: 547 },
  ],
];
const interfaceName = /^[A-Za-z0-9_.-]{1,15}$/;
const loopback = /^(127\.|::1$|localhost$)/i;

/** Where Incus listens for others with a preseed: its own interface, and bridges that it gives addresses in. */
export function incusPorts(preseed: Json): readonly IncusPort[] {
  const { config, networks } = mapping(preseed);
  const bridges = (Array.isArray(networks) ? networks : []).map(mapping).flatMap((network) => {
    const { name, type = "bridge", config: settings } = network;
    if (type !== "bridge" || typeof name !== "string" || !interfaceName.test(name)) return [];
    const hasNone = ["ipv4", "ipv6"].every((ip) => mapping(settings)[`${ip}.address`] === "none");
    return hasNone ? [] : ofBridge.map((port) => ({ ...port, on: name }));
  });
  return [...serverPorts(mapping(config)), ...bridges];
}

function serverPorts(config: Mapping): readonly IncusPort[] {
  return Object.entries(addresses).flatMap(([key, usual]) => {
    const address = config[key];
    if (typeof address !== "string" || address === "") return [];
    const [, bracketed, plain = "", written] =
      /^(?:\[([^\]]*)\]|([^:]*))(?::([0-9]{1,5}))?$/.exec(address) ?? [];
    const port = written === undefined ? usual : Number(written);
    if (loopback.test(bracketed ?? plain) || address === "::1" || !isPort(port)) return [];
    return [{ protocol: "tcp" as const, port }];
  });
}

/** Whether a preseed has a pool of ZFS. */
export function hasZfsPool(preseed: Json): boolean {
  const { storage_pools: pools } = mapping(preseed);
  return (Array.isArray(pools) ? pools : []).some((pool) => mapping(pool)["driver"] === "zfs");
}

function mapping(value: Json | undefined): Mapping {
  const isMapping = typeof value === "object" && value !== null && !Array.isArray(value);
  return isMapping ? (value as Mapping) : {};
}
