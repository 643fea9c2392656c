import type { Io } from "#core/io.ts";
import type { Check } from "#generated/provisioner/spec/v1.ts";
import { nameOfCheck } from "./check-names.ts";
import type { ProbeResult } from "./probe.ts";

type CheckOf<T extends Check["type"]> = Extract<Check, { readonly type: T }>;

/** A default route, by `/proc/net/route` and `/proc/net/ipv6_route`; rejecting ones do not count. */
export function probeRoute({ files }: Io, { family = "any" }: CheckOf<"route">): ProbeResult {
  const has = {
    ipv4: () => (files.readText("/proc/net/route") ?? "").split("\n").some(isDefaultIpv4),
    ipv6: () => (files.readText("/proc/net/ipv6_route") ?? "").split("\n").some(isDefaultIpv6),
  };
  const passed = family === "any" ? has.ipv4() || has.ipv6() : has[family]();
  const of = family === "any" ? "" : ` of ${family}`;
  return { passed, message: `route: ${passed ? "there is a" : "no"} default route${of}` };
}

const routeUp = 0x1;
const routeReject = 0x200;

/** Columns: interface, destination, gateway, flags, …, mask (7). Source: Linux `net/ipv4/fib_trie.c`. */
function isDefaultIpv4(line: string): boolean {
  const [, destination, , flags = "", , , , mask] = line.trim().split(/\s+/);
  return destination === "00000000" && mask === "00000000" && isUsable(flags);
}

/** Columns: destination, its length, …, flags (8), interface. Source: Linux `net/ipv6/route.c`. */
function isDefaultIpv6(line: string): boolean {
  const [destination, length, , , , , , , flags = "", device] = line.trim().split(/\s+/);
  return /^0{32}$/.test(destination ?? "") && length === "00" && device !== "lo" && isUsable(flags);
}

function isUsable(flags: string): boolean {
  const bits = Number.parseInt(flags, 16);
  return (bits & routeUp) !== 0 && (bits & routeReject) === 0;
}

/** Room on the file system of a path. */
export function probeDisk({ files }: Io, check: CheckOf<"disk">): ProbeResult {
  const space = files.space(check.path);
  if (space === undefined) {
    return { passed: false, message: `${nameOfCheck(check)}: there is no such path` };
  }
  const { availableBytes: bytes, totalBytes } = space;
  const percent = totalBytes === 0 ? 100 : (100 * bytes) / totalBytes;
  const { freeBytes = 0, freePercent = 0 } = check;
  const found = `${bytes} bytes (${percent.toFixed(1)} %) are free`;
  const passed = bytes >= freeBytes && percent >= freePercent;
  const wanted = [
    ...(check.freeBytes === undefined ? [] : [`${freeBytes} bytes`]),
    ...(check.freePercent === undefined ? [] : [`${freePercent} %`]),
  ].join(" and ");
  return { passed, message: `${nameOfCheck(check)}: ${found}, expected at least ${wanted}` };
}

/** Memory by `/proc/meminfo` and `/proc/pressure/memory`; what the kernel does not say has not passed. */
export function probeMemory(io: Io, check: CheckOf<"memory">): ProbeResult {
  const complaints = [...tooLittle(io, check), ...tooMuchPressure(io, check)];
  const passed = complaints.length === 0;
  return { passed, message: `memory: ${passed ? "as expected" : complaints.join("; ")}` };
}

function tooLittle(
  { files }: Io,
  { availablePercent: wanted }: CheckOf<"memory">,
): readonly string[] {
  if (wanted === undefined) return [];
  const text = files.readText("/proc/meminfo") ?? "";
  const kib = (key: string) => Number(new RegExp(`^${key}:\\s+([0-9]+) kB`, "m").exec(text)?.[1]);
  const percent = (100 * kib("MemAvailable")) / kib("MemTotal");
  if (percent >= wanted) return [];
  return Number.isNaN(percent)
    ? ["/proc/meminfo does not say how much is available"]
    : [`${percent.toFixed(1)} % are available, expected at least ${wanted} %`];
}

function tooMuchPressure(
  { files }: Io,
  { pressure: wanted }: CheckOf<"memory">,
): readonly string[] {
  if (wanted === undefined) return [];
  const text = files.readText("/proc/pressure/memory") ?? "";
  const percent = Number(/^some avg10=([0-9.]+)/m.exec(text)?.[1]);
  if (percent <= wanted) return [];
  return Number.isNaN(percent)
    ? ["/proc/pressure/memory does not say it: the kernel has no pressure stall information"]
    : [`processes wait for it ${percent} % of the time, expected at most ${wanted} %`];
}
