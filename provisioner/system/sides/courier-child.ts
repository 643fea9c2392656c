import type { Courier } from "../fetch/courier.ts";
import { inTransientUnit, type UnitProperty } from "../transient-unit.ts";
import { type CourierProcess, startCourier } from "./courier-process.ts";

/** What a process is left that only talks to the network and to us. */
const sandbox: readonly UnitProperty[] = [
  ["LimitCORE", "0"],
  ["LockPersonality", "yes"],
  ["MemoryMax", "512M"],
  ["NoNewPrivileges", "yes"],
  ["PrivateTmp", "yes"],
  ["ProtectClock", "yes"],
  ["ProtectControlGroups", "yes"],
  ["ProtectHome", "yes"],
  ["ProtectHostname", "yes"],
  ["ProtectKernelLogs", "yes"],
  ["ProtectKernelModules", "yes"],
  ["ProtectKernelTunables", "yes"],
  ["ProtectProc", "invisible"],
  ["ProtectSystem", "strict"],
  ["RestrictNamespaces", "yes"],
  ["RestrictRealtime", "yes"],
  ["RestrictSUIDSGID", "yes"],
  ["SystemCallArchitectures", "native"],
  ["SystemCallErrorNumber", "EPERM"],
  ["SystemCallFilter", "@system-service"],
  ["TemporaryFileSystem", "/var:ro"],
];

/** Of one that goes to the network: nobody's user, and no devices. */
const onNetwork: readonly UnitProperty[] = [
  ["DynamicUser", "yes"],
  ["PrivateDevices", "yes"],
  ["RestrictAddressFamilies", "AF_INET AF_INET6 AF_NETLINK AF_UNIX"],
];

/**
 * Of one that asks on the machine itself: root without any of root's capabilities, because sockets of
 * hypervisors and serial lines are root's, and no network.
 */
const onMachine: readonly UnitProperty[] = [
  ["CapabilityBoundingSet", ""],
  ["DevicePolicy", "closed"],
  ["PrivateNetwork", "yes"],
  ["RestrictAddressFamilies", "AF_UNIX"],
];

/** No user of it is one of the machine's, and it may do nothing that others may not. */
const withoutPrivileges: readonly UnitProperty[] = [
  ["CapabilityBoundingSet", ""],
  ["PrivateUsers", "yes"],
];

/** Capabilities of users of its own count for nothing on the machine's network. */
const withPrivilegedPorts: readonly UnitProperty[] = [
  ["AmbientCapabilities", "CAP_NET_BIND_SERVICE"],
  ["CapabilityBoundingSet", "CAP_NET_BIND_SERVICE"],
];

/** What a child may do that others may not. */
export interface ApartOptions {
  /** Whether it asks from ports below 1024; for those who answer nobody else. */
  readonly privilegedPorts?: boolean;
  /** Whose group it has: the metadata service may be closed to all others. */
  readonly group?: string | undefined;
  /** Devices that it may open, for one that asks on the machine itself and goes to no network. */
  readonly devices?: readonly string[] | undefined;
}

/** It ends with its input, so only one that hangs needs this. */
const longestMs = 24 * 3_600_000;

/** The line that starts a child without privileges, by systemd. */
export function apart(
  argv: readonly [string, ...string[]],
  { privilegedPorts = false, group, devices }: ApartOptions = {},
): readonly [string, ...string[]] {
  const abroad = [...onNetwork, ...(privilegedPorts ? withPrivilegedPorts : withoutPrivileges)];
  const properties: readonly UnitProperty[] = [
    ...sandbox,
    ...(devices === undefined ? abroad : [...onMachine, ...devices.map(allowed)]),
    ...(group === undefined ? [] : [["Group", group] as const]),
    ["RuntimeMaxSec", `${longestMs / 1000}s`],
  ];
  return inTransientUnit({ argv, timeoutMs: longestMs }, { properties }).argv;
}

function allowed(device: string): UnitProperty {
  return ["DeviceAllow", `${device} rw`];
}

/**
 * A courier that asks children: what comes from the network meets no root until it is bytes. They are
 * believed no more than the network is. One that has answered waits for the next request, and as many
 * are started as answers are wanted at once.
 */
export function courierChild(argv: readonly [string, ...string[]]): Courier {
  const waiting = new Set<CourierProcess>();
  const next = () => {
    for (const process of waiting) {
      waiting.delete(process);
      if (process.free) return process;
    }
    return startCourier(argv);
  };
  return {
    async open(request) {
      request.signal.throwIfAborted();
      const process = next();
      return process.ask(request, () => waiting.add(process));
    },
  };
}
