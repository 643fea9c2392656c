import { matchesGlob } from "node:path";
import type { NetworkdFile } from "../network.ts";

/** An interface as udev and systemd-networkd see it. */
export interface SeenInterface {
  readonly name: string;
  /** The name before any other was given. */
  readonly kernelName: string;
  readonly mac: string;
  /** Of what has one: a device. */
  readonly permanentMac?: string;
  readonly driver?: string;
  /** By the kernel's names; a device has none. */
  readonly kind?: string;
}

/**
 * The file that systemd takes for an interface: the first by its name of which all of `[Match]` fits
 * (systemd.network(5), systemd.link(5)). For tests. Throws on a key that it does not know.
 */
export function selectFile(
  files: readonly NetworkdFile[],
  ending: "network" | "link",
  seen: SeenInterface,
): string | undefined {
  const names = files
    .filter(({ name, content }) => name.endsWith(`.${ending}`) && fits(content, seen))
    .map(({ name }) => name);
  return names.sort()[0];
}

function fits(content: string, seen: SeenInterface): boolean {
  const [, match = ""] = /\[Match\]\n([^[]*)/.exec(content) ?? [];
  const wanted = new Map<string, string[]>();
  for (const line of match.split("\n").filter((each) => each !== "")) {
    const [, key = "", mark = "", words = ""] = /^(\w+)=(!?)(.*)$/.exec(line) ?? [];
    const patterns = words.split(" ").map((word) => mark + word);
    wanted.set(key, [...(wanted.get(key) ?? []), ...patterns]);
  }
  if (wanted.size === 0) throw new Error("a file without [Match] fits everything");
  return [...wanted].every(([key, patterns]) => fitsKey(key, patterns, seen));
}

function fitsKey(key: string, patterns: readonly string[], seen: SeenInterface): boolean {
  switch (key) {
    case "MACAddress":
      return isOneOf(patterns, seen.mac);
    case "PermanentMACAddress":
      return isOneOf(patterns, seen.permanentMac);
    case "Driver":
      return fitsPatterns(patterns, seen.driver);
    case "Kind":
      return fitsPatterns(patterns, seen.kind);
    case "Name":
      return fitsPatterns(patterns, seen.name);
    case "OriginalName":
      return fitsPatterns(patterns, seen.kernelName);
    default:
      throw new Error(`unknown key ${key}`);
  }
}

function isOneOf(addresses: readonly string[], address: string | undefined): boolean {
  return addresses.some((each) => each.toLowerCase() === address?.toLowerCase());
}

/** What is after a mark fits nothing; where every pattern has one, all else fits. */
function fitsPatterns(patterns: readonly string[], value: string | undefined): boolean {
  const is = (pattern: string) => value !== undefined && matchesGlob(value, pattern);
  const unwanted = patterns.filter((pattern) => pattern.startsWith("!"));
  if (unwanted.some((pattern) => is(pattern.slice(1)))) return false;
  return unwanted.length === patterns.length || patterns.some(is);
}
