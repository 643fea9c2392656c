import type { ExecResult, Io } from "#core/io.ts";
import type { Log } from "#core/log.ts";
import { inTransientUnit, type UnitProperty } from "#provisioner/system/transient-unit.ts";
import { maxSourceBytes, originOf } from "./fetch-sources.ts";
import type { FetchSources } from "./resolve-spec.ts";

/** What a process is left that only talks to the network and to us. */
const sandbox: readonly UnitProperty[] = [
  ["DynamicUser", "yes"],
  ["CapabilityBoundingSet", ""],
  ["LockPersonality", "yes"],
  ["MemoryMax", "512M"],
  ["NoNewPrivileges", "yes"],
  ["PrivateDevices", "yes"],
  ["PrivateTmp", "yes"],
  ["PrivateUsers", "yes"],
  ["ProtectClock", "yes"],
  ["ProtectControlGroups", "yes"],
  ["ProtectHome", "yes"],
  ["ProtectHostname", "yes"],
  ["ProtectKernelLogs", "yes"],
  ["ProtectKernelModules", "yes"],
  ["ProtectKernelTunables", "yes"],
  ["ProtectProc", "invisible"],
  ["ProtectSystem", "strict"],
  ["RestrictAddressFamilies", "AF_INET AF_INET6 AF_NETLINK AF_UNIX"],
  ["RestrictNamespaces", "yes"],
  ["RestrictRealtime", "yes"],
  ["RestrictSUIDSGID", "yes"],
  ["SystemCallArchitectures", "native"],
  ["SystemCallErrorNumber", "EPERM"],
  ["SystemCallFilter", "@system-service"],
  ["TemporaryFileSystem", "/var:ro"],
];

/** For all addresses together, each of which has its own limits. */
const timeoutMs = 180_000;
/** More than one source at its largest, written in base64. */
const maxOutputBytes = 128 * 1024 * 1024;

/** What one line of the child's output says. */
export type FetchedLine =
  | { readonly url: string; readonly bytes: string }
  | { readonly url: string; readonly failed: true };

/** How to start the child: this same program with its hidden command. */
export interface FetchApartOptions {
  readonly io: Io;
  readonly log: Log;
  readonly argv: readonly [string, ...string[]];
}

/**
 * Reads addresses in a process without privileges: what comes from the network meets no root until
 * it is bytes of a known size under the address that was asked for.
 */
export function apartFetcher({ io, log, argv }: FetchApartOptions): FetchSources {
  return async (urls) => {
    const line = inTransientUnit(
      { argv, timeoutMs },
      { properties: [...sandbox, ["RuntimeMaxSec", `${timeoutMs / 1000}s`]] },
    );
    const [file, ...args] = line.argv;
    const stdin = JSON.stringify(urls);
    const result = await io.exec({ file, args, stdin, timeoutMs, maxOutputBytes });
    const fetched = readFetched(result.stdout, urls);
    for (const url of urls) {
      if (!fetched.has(url))
        log.warning("source.failed", { ...originOf(url), message: why(result) });
    }
    return fetched;
  };
}

/** Lines that answer what was asked; everything else is passed over. */
export function readFetched(
  output: string,
  urls: readonly string[],
): ReadonlyMap<string, Uint8Array> {
  const asked = new Set(urls);
  return new Map(
    output.split("\n").flatMap((text): [string, Uint8Array][] => {
      const line = parse(text);
      if (line === undefined || !asked.has(line.url)) return [];
      const bytes = Buffer.from(line.bytes, "base64");
      return bytes.length > maxSourceBytes ? [] : [[line.url, bytes]];
    }),
  );
}

function parse(text: string): { readonly url: string; readonly bytes: string } | undefined {
  try {
    const { url, bytes } = JSON.parse(text) as { readonly url?: unknown; readonly bytes?: unknown };
    return typeof url === "string" && typeof bytes === "string" ? { url, bytes } : undefined;
  } catch {
    return undefined;
  }
}

function why({ code, timedOut, stderr }: ExecResult): string {
  const last = stderr.trim().split("\n").at(-1)?.slice(0, 200) ?? "";
  const end = timedOut ? `no end within ${timeoutMs} ms` : `exit code ${code}`;
  return code === 0 ? "not read" : `${end}: ${last}`;
}
